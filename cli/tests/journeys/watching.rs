//! `index --watch` follows edits while it runs.

use crate::bench::Bench;
use tests::program::Running;

fn watch(bench: &Bench) -> Running {
    Running::start(bench.command().args(["--desk", "desk", "index", "--watch"]))
}

#[test]
fn edits_new_files_and_deletions_are_followed() {
    let bench = Bench::starter();
    let watch = watch(&bench);
    watch.wait_for("3 articles, ");
    bench.write("desk/articles/tea.md", "# Tea\n\nTea takes three minutes.\n");
    watch.wait_for("4 articles, ");
    bench.write("desk/articles/tea.md", "# Tea\n\nTea takes a zebra and four minutes.\n");
    watch.wait_for("4 articles, ");
    let found = bench.json(&["search", "zebra", "--mode", "words"]);
    assert_eq!(found["hits"][0]["article"], "tea.md", "{found:#}");
    std::fs::remove_file(bench.desk().join("articles/tea.md")).unwrap();
    watch.wait_for("3 articles, ");
    bench.write("desk/articles/new/cake.md", "# Cake\n\nCake takes an hour.\n");
    watch.wait_for("4 articles, ");
}

#[test]
fn a_folder_that_becomes_empty_does_not_end_the_watch() {
    let bench = Bench::starter();
    let watch = watch(&bench);
    watch.wait_for("3 articles, ");
    for name in ["change-your-password", "cancel-or-change-plan", "invoices"] {
        std::fs::remove_file(bench.desk().join(format!("articles/{name}.md"))).unwrap();
    }
    bench.write("desk/articles/tea.md", "# Tea\n\nTea takes three minutes.\n");
    watch.wait_for("1 articles, ");
}

#[test]
fn an_edit_is_not_lost_when_its_refresh_fails() {
    let bench = Bench::starter();
    let watch = watch(&bench);
    watch.wait_for("3 articles, ");
    // A file where the folder of the index should be: nothing can be written.
    let (index, aside) = (bench.desk().join(".frontdesk/index"), bench.desk().join("aside"));
    std::fs::rename(&index, &aside).unwrap();
    std::fs::write(&index, "").unwrap();
    bench.write("desk/articles/tea.md", "# Tea\n\nTea takes three minutes.\n");
    watch.wait_for("the index was not refreshed");
    std::fs::remove_file(&index).unwrap();
    std::fs::rename(&aside, &index).unwrap();
    watch.wait_for("4 articles, ");
}

#[test]
fn a_folder_that_is_missing_is_named_once_with_what_to_do() {
    let bench = Bench::starter();
    let ran = bench.on_desk(&["index", "--watch", "--articles", "absent"]);
    ran.refuses(&["absent: there is nothing to watch; put articles there"]);
    assert_eq!(ran.err.matches("absent").count(), 1, "{ran:?}");
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_well() {
    let bench = Bench::starter();
    let watch = watch(&bench);
    watch.wait_for("3 articles, ");
    // It may not listen yet; until then an interrupt would end it badly, so an edit comes first.
    bench.write("desk/articles/tea.md", "# Tea\n\nTea takes three minutes.\n");
    watch.wait_for("4 articles, ");
    watch.signal("INT");
    assert_eq!(watch.end().0, Some(0));
}
