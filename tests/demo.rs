//! `make demo`, the first thing that the README has people type.

mod common;

use std::process::Command;

#[test]
fn the_demo_carries_a_file_there_and_back() {
    common::library();
    let said = common::succeed(Command::new("make").arg("demo").current_dir(common::root()));
    let line = |start: &str| {
        said.lines()
            .find(|line| line.starts_with(start))
            .unwrap_or_else(|| panic!("no line {start:?}:\n{said}"))
    };
    assert!(line("echoserver:").contains("port"), "{said}");
    // "echoclient: 12345 lines, 678901 bytes, ..."
    let words: Vec<&str> = line("echoclient:").split_whitespace().collect();
    let before_lines = words.windows(2).find(|pair| pair[1].starts_with("lines"));
    let count = before_lines.and_then(|pair| pair[0].replace(',', "").parse().ok());
    assert!(count > Some(1_000_u64), "{said}");
    assert!(line("Python:").len() > "Python:".len(), "{said}");
    assert!(line("demo:").contains("every byte came back"), "{said}");
}
