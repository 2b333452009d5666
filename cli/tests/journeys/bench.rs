//! What a journey stands on: a desk in a folder of its own, and the program to run there.

use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tempfile::TempDir;
use tests::sample;

/// A folder with a desk, removed when it goes out of scope.
pub(crate) struct Bench {
    home: TempDir,
    variables: Vec<(String, String)>,
}

/// What a run of the program left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The top folder of this repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Copies a folder without the index that may lie in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|e| (e.path(), e.file_name())).unwrap();
        if path.is_dir() && name != ".frontdesk" {
            copy(&path, &to.join(name));
        } else if path.is_file() {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

impl Bench {
    /// A folder with nothing in it.
    pub(crate) fn empty() -> Self {
        let variables = [
            ("FRONTDESK_EMBEDDER_KIND", "hashed"),
            // A test that lacks a model must not go and fetch it.
            ("FRONTDESK_MODELS_PULL_MISSING", "false"),
        ];
        let variables = variables.map(|(name, value)| (name.to_string(), value.to_string()));
        Self { home: tempfile::tempdir().unwrap(), variables: variables.into() }
    }

    /// The desk that `frontdesk init` writes.
    pub(crate) fn starter() -> Self {
        let bench = Self::empty();
        let ran = bench.run(&["init", "desk"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        bench
    }

    /// The sample company.
    pub(crate) fn vannerly() -> Self {
        let bench = Self::empty();
        copy(&sample::folder(), &bench.desk());
        bench
    }

    /// Sets a variable for every later run; an empty value takes it away.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(other, _)| other != name);
        if !value.is_empty() {
            self.variables.push((name.into(), value.into()));
        }
        self
    }

    /// Gives every draft the confidence of `log_odds`, so that a journey does not hang on how the
    /// built-in calibration is fitted at the moment.
    pub(crate) fn confident(self, log_odds: f64) -> Self {
        self.write("desk/calibration.toml", &sample::calibration(log_odds));
        self.with("FRONTDESK_ANSWERS_CALIBRATION", "calibration.toml")
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn desk(&self) -> PathBuf {
        self.home().join("desk")
    }

    /// Writes a file below the home folder, with its folders.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.home().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.home().join(name)).unwrap()
    }

    /// The program, to be run in the home folder with no environment but what is set here.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_frontdesk"));
        command.current_dir(self.home()).env_clear().stdin(Stdio::null());
        command.env("HOME", self.home()).envs(self.variables.iter().cloned());
        command
    }

    /// Runs the program with these arguments.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command().args(arguments))
    }

    /// Runs the program on the desk.
    pub(crate) fn on_desk(&self, arguments: &[&str]) -> Ran {
        self.run(&[&["--desk", "desk"], arguments].concat())
    }

    /// Runs the program on the desk with `--json`; it has to end well and to print one document.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.on_desk(&[arguments, &["--json"]].concat());
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
        ran.document()
    }

    /// Asks the desk; returns the JSON document.
    pub(crate) fn ask(&self, question: &str) -> Value {
        self.json(&["ask", question])
    }
}

impl Ran {
    /// Runs a prepared command to its end.
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        let ran = Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            err: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        };
        assert!(!ran.err.contains("panicked"), "{ran:?}");
        ran
    }

    /// The one JSON document that stdout is.
    pub(crate) fn document(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts wrong usage or configuration: exit code 2, nothing on stdout, `parts` on stderr.
    pub(crate) fn refuses(&self, parts: &[&str]) {
        assert_eq!(self.code, Some(2), "{self:?}");
        assert_eq!(self.out, "", "an error is no output");
        for part in parts {
            assert!(self.err.contains(part), "no {part:?} in {self:?}");
        }
    }
}
