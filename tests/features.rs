//! The table of features in the README: every row names a test that there is.

const README: &str = include_str!("../README.md");

/// The last cells of the rows below the table's head.
fn named() -> Vec<&'static str> {
    let (_, table) = README
        .split_once("| feature | GB/T 28181 |")
        .expect("the README has the table");
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 5, "{row}");
        assert!(cells.iter().all(|cell| !cell.is_empty()), "{row}");
        cells[4].trim_matches('`')
    })
    .collect()
}

#[test]
fn every_row_names_a_test_that_exists() {
    let rows = named();
    assert!(rows.len() > 40, "{}", rows.len());
    for row in rows {
        let (file, test) = row.split_once("::").expect("FILE::TEST");
        let path = format!("{}/tests/{file}.rs", env!("CARGO_MANIFEST_DIR"));
        let source = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        let mut lines = source.lines().map(str::trim_start);
        let head = [format!("fn {test}("), format!("async fn {test}(")];
        let found = lines.position(|line| head.iter().any(|head| line.starts_with(head)));
        let at = found.unwrap_or_else(|| panic!("{row}: there is no such test"));
        let before: Vec<_> = source.lines().take(at).collect();
        let marked = before
            .iter()
            .rev()
            .take(4)
            .any(|line| line.contains("test"));
        assert!(marked, "{row}: that is no test");
    }
}
