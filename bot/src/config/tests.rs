use super::*;
use proptest::prelude::*;

fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let environment = environment.iter().map(|(n, v)| ((*n).to_string(), (*v).to_string()));
    Config::load(Some((Path::new("frontdesk.toml"), text)), environment)
        .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

fn check(text: &str, expected: &str) {
    assert_eq!(load(text, &[]).unwrap_err(), expected, "{text}");
}

#[test]
fn defaults_load_and_layers_cover_them() {
    let config = load("", &[]).unwrap();
    assert_eq!(config.embedder.kind, EmbedderKind::Local);
    let text = "[answers]\nthreshold = 1\n[articles]\nfolders = [\"a\", \"b\"]";
    let config = load(text, &[("FRONTDESK_ANSWERS_THRESHOLD", "0.25"), ("OTHER", "x")]).unwrap();
    assert_eq!(config.articles.folders.len(), 2);
    assert!((config.answers.threshold - 0.25).abs() < 1e-12);
    let config = load("", &[("FRONTDESK_ARTICLES_FOLDERS", "docs")]).unwrap();
    assert_eq!(config.articles.folders, [PathBuf::from("docs")]);
}

#[test]
fn faults_name_file_line_key_and_mend() {
    check(
        "\n[answers]\ntreshold = 1",
        "frontdesk.toml:3: answers.treshold is not known; did you mean \"threshold\"?",
    );
    check("[answer]\n", "frontdesk.toml:1: [answer] is not known; did you mean \"answers\"?");
    check(
        "[log]\nlevel = 3",
        "frontdesk.toml:2: log.level takes a text in quotes; for example level = \"warn\"",
    );
    check(
        "[embedder]\nthreads = -1",
        "frontdesk.toml:2: embedder.threads takes a whole number, 0 or more; for example threads = 0",
    );
    check("log = 1", "frontdesk.toml:1: log is a table, not a value; write [log]");
    check(
        "[answers]\nthreshold = 7",
        "frontdesk.toml: answers.threshold is not a probability; set it between 0 and 1",
    );
    let error = load("[answers", &[]).unwrap_err();
    assert!(error.starts_with("frontdesk.toml:1: "), "{error}");
    check(
        "[embedder]\nkind = \"loacl\"",
        "frontdesk.toml:2: embedder.kind cannot be \"loacl\"; take one of local, remote, hashed",
    );
    check(
        "[embedder]\nprecision = \"int8\"",
        "frontdesk.toml:2: embedder.precision cannot be \"int8\"; take one of exact, fast",
    );
    let fast = load("[embedder]\nprecision = \"fast\"", &[]).unwrap();
    assert_eq!(fast.embedder.precision, models::Precision::Fast);
}

#[test]
fn variables_are_checked_like_keys() {
    let error = load("", &[("FRONTDESK_ANSWERS_TRESHOLD", "1")]).unwrap_err();
    assert_eq!(
        error,
        "FRONTDESK_ANSWERS_TRESHOLD: this variable is not known; did you mean \"FRONTDESK_ANSWERS_THRESHOLD\"?"
    );
    let error = load("", &[("FRONTDESK_ANSWERS_REPLIES", "perhaps")]).unwrap_err();
    assert!(error.contains("takes true or false"), "{error}");
}

#[test]
fn what_a_variable_set_is_blamed_on_the_variable() {
    let text = "[answers]\nthreshold = 7";
    let both = [("FRONTDESK_ANSWERS_THRESHOLD", "8"), ("FRONTDESK_SEARCH_MEANING", "-1")];
    let error = load(text, &both).unwrap_err();
    let what = "FRONTDESK_ANSWERS_THRESHOLD: answers.threshold is not a probability; ";
    assert!(error.contains(what), "{error}");
    assert!(error.contains("FRONTDESK_SEARCH_MEANING: search weights"), "{error}");
    assert!(!error.contains("frontdesk.toml"), "{error}");
    let error = load(text, &[("FRONTDESK_SEARCH_MEANING", "0.5")]).unwrap_err();
    assert!(error.starts_with("frontdesk.toml: answers.threshold"), "{error}");
}

#[test]
fn a_generator_without_any_time_is_refused() {
    check(
        "[generator]\ntimeout_s = 0",
        "frontdesk.toml: generator.timeout_s = 0 leaves no time to answer; set 1 or more, for example 60",
    );
}

#[test]
fn a_desk_that_would_serve_nobody_is_refused() {
    for (key, example) in [
        ("turns.workers", 4),
        ("turns.lease_s", 60),
        ("messenger.limit_per_minute", 20),
        ("inbox.session_hours", 12),
        ("inbox.presence_s", 60),
    ] {
        let (table, name) = key.split_once('.').unwrap();
        let fault = format!("{key} = 0 serves nobody; set 1 or more, for example {example}");
        check(&format!("[{table}]\n{name} = 0"), &format!("frontdesk.toml: {fault}"));
    }
    assert!(load("[turns]\nclose_after_h = 0\n[server]\nshutdown_s = 0", &[]).is_ok());
}

#[test]
fn a_lone_word_as_log_level_is_a_level() {
    check(
        "[log]\nlevel = \"frob\"",
        "frontdesk.toml:2: log.level cannot be \"frob\"; take one of off, error, warn, info, debug, trace; or a filter such as \"info,bot=debug\"",
    );
    for level in ["off", "TRACE", "info,bot=debug", "bot=debug", "bot::library,warn"] {
        assert!(load("", &[("FRONTDESK_LOG_LEVEL", level)]).is_ok(), "{level}");
    }
    let error = load("", &[("FRONTDESK_LOG_LEVEL", "frob")]).unwrap_err();
    assert!(error.starts_with("FRONTDESK_LOG_LEVEL: log.level cannot be"), "{error}");
}

#[test]
fn secrets_are_never_shown() {
    let config = load("[generator]\napi_key = \"sk-hidden\"", &[]).unwrap();
    assert_eq!(config.generator.api_key.reveal(), Some("sk-hidden"));
    assert!(!format!("{config:?}").contains("hidden"));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}", name in "FRONTDESK_[A-Z_]{0,20}", value in ".{0,20}") {
        drop(load(&text, &[(&name, &value)]));
    }
}
