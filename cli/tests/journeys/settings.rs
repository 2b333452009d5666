//! Settings: what is wrong is named by file, line and the nearest right name, and secrets stay
//! secret.

use crate::bench::Bench;

#[test]
fn unknown_keys_name_file_line_and_nearest_key() {
    let check = |file: &str, text: &str, expected: &str| {
        let bench = Bench::starter();
        bench.write(&format!("desk/{file}"), text);
        bench.on_desk(&["ask", "Where is my invoice?"]).refuses(&[expected]);
        let checked = bench.on_desk(&["check"]);
        assert_eq!(checked.code, Some(1), "{checked:?}");
        assert!(checked.out.contains(expected), "no {expected:?} in {checked:?}");
    };
    check(
        "frontdesk.toml",
        "[answers]\n\ntreshold = 0.5\n",
        "desk/frontdesk.toml:3: answers.treshold is not known; did you mean \"threshold\"?",
    );
    check(
        "frontdesk.toml",
        "[serach]\n",
        "desk/frontdesk.toml:1: [serach] is not known; did you mean \"search\"?",
    );
    check("frontdesk.toml", "[log]\nlevel = 3\n", "desk/frontdesk.toml:2: log.level takes a text");
    check("frontdesk.toml", "[answers\n", "desk/frontdesk.toml:1: ");
    check("frontdesk.toml", "[answers]\nthreshold = 7\n", "answers.threshold is not a probability");
    check("frontdesk.toml", "[answers]\ndrafter = \"written\"\n", "needs a generator");
    let team = "[[team]]\nslug = \"a\"\nname = \"A\"\n";
    check(
        "routing.toml",
        "fallback_team = \"b\"\n[[team]]\nslug = \"a\"\nname = \"A\"\n",
        "desk/routing.toml:1: fallback_team names team \"b\", which does not exist; known teams: a",
    );
    check(
        "routing.toml",
        &format!("fallback_team = \"a\"\n{team}own = [\"x\"]\n"),
        "desk/routing.toml:5: unknown field `own`; did you mean \"owns\"?",
    );
    check("routing.toml", "fallback_team = \n", "desk/routing.toml:1: ");
}

#[test]
fn files_that_are_no_text_are_named() {
    let bench = Bench::starter();
    for name in ["frontdesk.toml", "routing.toml", "guidance.md"] {
        std::fs::write(bench.desk().join(name), b"\xff\xfe\x00").unwrap();
        bench.on_desk(&["index"]).refuses(&[name, "not UTF-8 text; save it as UTF-8"]);
        std::fs::remove_file(bench.desk().join(name)).unwrap();
    }
    let bare = bench.on_desk(&["check"]);
    assert_eq!(bare.code, Some(0), "a desk of articles alone is a desk: {bare:?}");
}

#[test]
fn variables_lie_over_the_file_and_are_checked_like_it() {
    let bench = Bench::starter().confident(0.0);
    bench.write("desk/frontdesk.toml", "[answers]\nthreshold = 0.9\n");
    let act = |bench: &Bench| bench.ask("How do I change my password?")["act"].clone();
    assert_eq!(act(&bench), "handoff");
    let bench = bench.with("FRONTDESK_ANSWERS_THRESHOLD", "0.2");
    assert_eq!(act(&bench), "reply");
    let bench = bench.with("FRONTDESK_ANSWERS_THRESHOLD", "much");
    bench.on_desk(&["ask", "hello"]).refuses(&["FRONTDESK_ANSWERS_THRESHOLD", "takes a number"]);
    let bench = bench.with("FRONTDESK_ANSWERS_THRESHOLD", "");
    let bench = bench.with("FRONTDESK_ANSWERS_TRESHOLD", "0.2");
    bench.on_desk(&["ask", "hello"]).refuses(&["did you mean \"FRONTDESK_ANSWERS_THRESHOLD\"?"]);
}

#[test]
fn a_desk_that_is_missing_or_empty_says_what_to_do() {
    let bench = Bench::empty();
    bench.run(&["--desk", "none", "ask", "hello"]).refuses(&["frontdesk init none"]);
    std::fs::create_dir(bench.desk()).unwrap();
    bench.on_desk(&["index"]).refuses(&["cannot read the articles folder", "desk/articles"]);
    std::fs::create_dir(bench.desk().join("articles")).unwrap();
    let what = "no articles found: looked for *.md, *.markdown, *.mdx, *.html and *.htm";
    bench.on_desk(&["index"]).refuses(&[what, "desk/articles"]);
    bench.on_desk(&["ask", "hello"]).refuses(&[what]);
    let checked = bench.on_desk(&["check", "--json"]);
    assert_eq!(checked.code, Some(1));
    assert!(checked.document()["findings"][0]["what"].as_str().unwrap().starts_with(what));
}

#[test]
fn models_can_be_seen_to_while_the_routing_is_broken() {
    let bench = Bench::starter();
    bench.write("desk/routing.toml", "fallback_team = \n");
    bench.json(&["models", "list"]);
    let ran = bench.on_desk(&["models", "verify"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("no model is in ") && ran.out.contains("models pull"), "{ran:?}");
    bench.on_desk(&["index"]).refuses(&["desk/routing.toml:1: "]);
}

#[test]
fn a_remote_embedder_that_nobody_answers_for_is_found_by_check() {
    // Bound and dropped: a port that nobody listens on.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let bench = Bench::starter()
        .with("FRONTDESK_EMBEDDER_KIND", "remote")
        .with("FRONTDESK_EMBEDDER_URL", &format!("http://{address}/v1"))
        .with("FRONTDESK_EMBEDDER_DIMENSION", "4");
    let checked = bench.on_desk(&["check", "--json"]);
    assert_eq!(checked.code, Some(1), "{checked:?}");
    let finding = &checked.document()["findings"][0];
    assert_eq!(finding["severity"], "error");
    assert!(finding["what"].as_str().unwrap().starts_with("the embedder does not work: "));
    assert!(finding["mend"].as_str().unwrap().contains("embedder.url"), "{finding}");
}

#[test]
fn a_model_that_is_nowhere_is_refused_with_the_way_to_get_it() {
    let bench = Bench::starter().with("FRONTDESK_EMBEDDER_KIND", "local");
    bench.on_desk(&["index"]).refuses(&["frontdesk models pull all-minilm-l6-v2"]);
    let bench = bench.with("FRONTDESK_EMBEDDER_MODEL", "no-such-model");
    bench.on_desk(&["index"]).refuses(&["neither a path nor in the catalogue", "models list"]);
}

#[test]
fn a_calibration_for_another_embedder_is_refused() {
    let bench = Bench::starter().confident(1.0);
    let text = bench.read("desk/calibration.toml").replace("embedder = \"", "embedder = \"other-");
    bench.write("desk/calibration.toml", &text);
    bench.on_desk(&["ask", "hello"]).refuses(&["calibration.toml", "was fitted for other-"]);
    let bench = bench.with("FRONTDESK_ANSWERS_CALIBRATION", "absent.toml");
    bench.on_desk(&["ask", "hello"]).refuses(&["answers.calibration", "absent.toml"]);
}

#[test]
fn secrets_are_in_no_output() {
    const KEY: &str = "sk-very-hidden-0123456789";
    let bench = Bench::starter()
        .with("FRONTDESK_GENERATOR_API_KEY", KEY)
        .with("FRONTDESK_GENERATOR_KIND", "remote")
        // Port 9 of this machine: nobody answers there.
        .with("FRONTDESK_GENERATOR_URL", "http://127.0.0.1:9/v1")
        .with("FRONTDESK_GENERATOR_MODEL", "m")
        .with("FRONTDESK_ANSWERS_DRAFTER", "written")
        .with("FRONTDESK_LOG_LEVEL", "trace");
    let cases = ["eval", "run", "--cases", "desk/cases/cases.jsonl", "-o", "out"];
    for arguments in [
        &["index"][..],
        &["ask", "How do I change my password?", "--explain"],
        &["ask", "How do I change my password?", "--json"],
        &["search", KEY],
        &["check", "--json"],
        &["models", "list"],
        &cases,
    ] {
        let ran = bench.on_desk(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
        // The question of `search` is the user's own; it is not printed either.
        assert!(!ran.out.contains(KEY) && !ran.err.contains(KEY), "{arguments:?}: {ran:?}");
    }
    for file in ["out/results.jsonl", "out/summary.json"] {
        assert!(!bench.read(file).contains(KEY), "{file}");
    }
    for (name, value) in
        [("MODEL", ""), ("KIND", "remot"), ("URL", "no address"), ("TIMEOUT_S", "x")]
    {
        let bench = Bench::starter()
            .with("FRONTDESK_GENERATOR_API_KEY", KEY)
            .with("FRONTDESK_GENERATOR_KIND", "remote")
            .with("FRONTDESK_GENERATOR_URL", "http://127.0.0.1:9/v1")
            .with("FRONTDESK_ANSWERS_DRAFTER", "written")
            .with(&format!("FRONTDESK_GENERATOR_{name}"), value);
        let ran = bench.on_desk(&["ask", "hello"]);
        assert_eq!(ran.code, Some(2), "{name}: {ran:?}");
        assert!(!ran.err.contains(KEY), "{ran:?}");
    }
    // A key of the wrong kind in the file must not be shown with its line either.
    let bench = Bench::starter();
    bench.write("desk/frontdesk.toml", "[generator]\napi_key = [\"sk-very-hidden-0123456789\"]\n");
    let ran = bench.on_desk(&["check"]);
    assert!(ran.code == Some(1) && !ran.out.contains(KEY), "{ran:?}");
}
