//! The generated tables of `docs/protocol.md`.

use crate::layout::{FIELDS, Field, Form};
use crate::{Class, Opcode, Sizes};

/// The document with the text between its markers made anew.
pub(super) fn fill(document: &str) -> Result<String, String> {
    let parts = [
        ("header fields", header_table()),
        ("opcodes", opcode_table()),
    ];
    let mut document = document.to_owned();
    for (name, table) in parts {
        document = fill_part(&document, name, &table)?;
    }
    Ok(document)
}

/// The document with the text between the markers of one generated part replaced.
///
/// # Errors
/// The markers that it lacks.
pub fn fill_part(document: &str, name: &str, text: &str) -> Result<String, String> {
    let begin = format!("<!-- generated: {name} -->\n");
    let end = "<!-- end -->";
    let lacking = || {
        format!(
            "the lines `{}` and, after it, `{end}` are missing",
            begin.trim_end()
        )
    };
    let from = document.find(&begin).ok_or_else(lacking)? + begin.len();
    let to = from + document[from..].find(end).ok_or_else(lacking)?;
    Ok(format!("{}{text}{}", &document[..from], &document[to..]))
}

fn header_table() -> String {
    let mut out = String::from("| field | bits | in | meaning |\n|---|---|---|---|\n");
    for field in &FIELDS {
        let bits = field.range();
        out += &format!(
            "| {} | {bits} | {} | {} |\n",
            field.name,
            owners(field),
            field.doc
        );
    }
    out
}

/// The forms that have a field, in few words.
fn owners(field: &Field) -> String {
    if field.is_common() {
        return "all".to_owned();
    }
    let mut owners = Vec::new();
    for form in Form::ALL.into_iter().filter(|&form| field.is_in(form)) {
        match (
            form,
            field.is_in(Form::MemRead) && field.is_in(Form::MemWrite),
        ) {
            (Form::MemRead, true) => owners.push("MEM"),
            (Form::MemWrite, true) => {}
            _ => owners.push(form.title()),
        }
    }
    owners.join(", ")
}

fn opcode_table() -> String {
    let mut out = String::from(
        "| class | opcode | code | payload | rights | asks for or says |\n|---|---|---|---|---|---|\n",
    );
    for class in Class::ALL {
        for opcode in Opcode::ALL
            .into_iter()
            .filter(|opcode| opcode.class() == class)
        {
            let payload = match (opcode.has_payload(), opcode.sizes()) {
                (false, _) => "|",
                (true, Sizes::Line) => "| line",
                (true, _) => "| yes",
            };
            let rights = match (opcode.needs_read(), opcode.needs_write()) {
                (false, false) => "|",
                (true, false) => "| read",
                (false, true) => "| write",
                (true, true) => "| both",
            };
            let (code, doc) = (opcode.code(), decapitalised(opcode.doc()));
            out += &format!("| {class} | {opcode} | {code:#04x} {payload} {rights} | {doc} |\n");
        }
    }
    out
}

/// A sentence as a phrase: its first letter small.
fn decapitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_lowercase().chain(chars).collect())
        .unwrap_or_default()
}
