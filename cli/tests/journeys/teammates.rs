//! Accounts for the inbox: made, listed, closed, and given new passwords from a terminal.

use crate::bench::{Bench, Ran};
use std::fs::File;

const PASSWORD: &str = "correct horse battery";

/// Runs `frontdesk teammates …` with a text on standard input.
fn teammates(bench: &Bench, stdin: &str, arguments: &[&str]) -> Ran {
    bench.write("stdin", stdin);
    let stdin = File::open(bench.home().join("stdin")).unwrap();
    let mut command = bench.command();
    command.stdin(stdin).args(["--desk", "desk", "teammates"]).args(arguments);
    Ran::of(&mut command)
}

fn add(bench: &Bench, slug: &str, password: &str) -> Ran {
    let email = format!("{slug}@Example.com");
    let words =
        ["add", slug, "--name", "Ada", "--email", &email, "--role", "lead", "--password-stdin"];
    teammates(bench, &format!("{password}\n"), &words)
}

#[test]
fn an_account_is_made_listed_closed_and_opened_again() {
    let bench = Bench::vannerly();
    let none = teammates(&bench, "", &["list"]);
    assert!(none.out.contains("nobody can sign in yet"), "{none:?}");
    let added = add(&bench, "lena-brandt", PASSWORD);
    assert_eq!((added.code, added.out.trim()), (Some(0), "lena-brandt can sign in as lead"));
    assert!(!added.err.contains("warning"), "{added:?}");
    let again = add(&bench, "lena-brandt", PASSWORD);
    assert_eq!(again.code, Some(2));
    assert!(again.err.contains("there is an account with this short name"), "{again:?}");
    let listed = bench.json(&["teammates", "list"]);
    assert_eq!(listed[0]["email"], "lena-brandt@example.com");
    assert_eq!(listed[0]["role"], "lead");
    let closed = teammates(&bench, "", &["disable", "lena-brandt"]);
    assert_eq!(closed.code, Some(0), "{closed:?}");
    assert_eq!(bench.json(&["teammates", "list"])[0]["disabled"], true);
    let words = ["reset-password", "lena-brandt", "--password-stdin"];
    assert_eq!(teammates(&bench, "another good one", &words).code, Some(0));
    assert_eq!(bench.json(&["teammates", "list"])[0]["disabled"], false);
    for ran in [added, again, closed] {
        assert!(!format!("{ran:?}").contains(PASSWORD));
    }
}

#[test]
fn what_cannot_be_an_account_is_refused_in_words() {
    let bench = Bench::vannerly();
    let check = |ran: Ran, expected: &str| {
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.err.contains(expected), "{expected} in {ran:?}");
    };
    check(add(&bench, "lena-brandt", "short"), "at least 10 letters");
    check(add(&bench, "Lena B", PASSWORD), "is no short name");
    check(teammates(&bench, "", &["disable", "nobody"]), "nobody called nobody has an account");
    let words = ["add", "ada", "--name", "Ada", "--email", "ada", "--password-stdin"];
    check(teammates(&bench, PASSWORD, &words), "is no address");
    let words = ["add", "ada", "--name", "Ada", "--email", "ada@example.com"];
    check(teammates(&bench, PASSWORD, &words), "pass --password-stdin");
    let words = ["add", "ada", "--name", " ", "--email", "ada@example.com", "--password-stdin"];
    check(teammates(&bench, PASSWORD, &words), "--name is empty");
    let stranger = add(&bench, "somebody-else", PASSWORD);
    assert_eq!(stranger.code, Some(0));
    assert!(stranger.err.contains("member of no team"), "{stranger:?}");
}
