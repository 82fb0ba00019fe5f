//! `docs/flit.svg`: the fields of every form, to scale.

use crate::layout::{FIELDS, FLIT_BITS, Field, Form};
use std::fmt::Write;

const WIDTH: u32 = 1000;
const MARGIN: u32 = 110;
const STRIP: u32 = 34;
const GAP: u32 = 58;
const TOP: u32 = 40;

const STYLE: &str = "\
<style>
  text { font: 13px ui-monospace, monospace; fill: #1b1f24; text-anchor: middle; }
  .bit { font-size: 10px; fill: #57606a; }
  .title { font-weight: bold; text-anchor: end; }
  rect { stroke: #57606a; stroke-width: 1; fill: #ddf4ff; }
  .page { fill: #ffffff; stroke: none; }
  .reserved { fill: #eaeef2; }
</style>
";

/// The picture: one strip for the bits that all headers share, then one a form.
pub(super) fn picture() -> String {
    let first = FIELDS
        .iter()
        .filter(|field| !field.is_common())
        .map(|field| field.lsb)
        .min()
        .unwrap_or(FLIT_BITS);
    let height = TOP + GAP * (Form::ALL.len() as u32 + 1);
    let full = WIDTH + MARGIN + 20;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {full} {height}\" role=\"img\">\n\
         <title>Header fields by form, highest bit left</title>\n{STYLE}\
         <rect class=\"page\" width=\"{full}\" height=\"{height}\"/>\n"
    );
    strip(
        &mut out,
        "all",
        TOP,
        (0, first),
        FIELDS.iter().filter(|field| field.is_common()),
    );
    for (i, form) in Form::ALL.into_iter().enumerate() {
        let y = TOP + GAP * (i as u32 + 1);
        let own = form.fields().filter(|field| !field.is_common());
        strip(&mut out, form.title(), y, (first, FLIT_BITS), own);
    }
    out + "</svg>\n"
}

/// One strip of the bits `low..end`, its fields over a ground of reserved bits.
fn strip<'a>(
    out: &mut String,
    title: &str,
    y: u32,
    (low, end): (u32, u32),
    fields: impl Iterator<Item = &'a Field>,
) {
    let x = |bit: u32| MARGIN + (end - bit) * WIDTH / (end - low);
    let base = y + STRIP / 2 + 5;
    let _ = writeln!(
        out,
        "<text class=\"title\" x=\"{}\" y=\"{base}\">{title}</text>\n\
         <rect class=\"reserved\" x=\"{MARGIN}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{STRIP}\"/>",
        MARGIN - 8
    );
    for field in fields {
        let (left, right) = (x(field.msb() + 1), x(field.lsb));
        let (middle, above) = ((left + right) / 2, y - 4);
        let _ = writeln!(
            out,
            "<rect x=\"{left}\" y=\"{y}\" width=\"{}\" height=\"{STRIP}\"/>\n\
             <text x=\"{middle}\" y=\"{base}\"{}>{}</text>",
            right - left,
            squeeze(field.name, right - left),
            field.name,
        );
        let _ = writeln!(
            out,
            "<text class=\"bit\" x=\"{middle}\" y=\"{above}\">{}</text>",
            field.range()
        );
    }
}

/// Text wider than its box is set narrower.
fn squeeze(text: &str, width: u32) -> String {
    let (wanted, room) = (text.len() as u32 * 8, width.saturating_sub(4));
    if wanted <= room {
        return String::new();
    }
    format!(" textLength=\"{room}\" lengthAdjust=\"spacingAndGlyphs\"")
}
