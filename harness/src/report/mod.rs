//! What a run reports, as a table, JSON and HTML.
