//! The built program while it runs: what it prints, how it is told to stop, how it comes back.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    time::{Duration, Instant},
};

/// Longest wait for a line. What is waited for comes within seconds, on a busy machine minutes later.
pub const LIMIT: Duration = Duration::from_secs(180);

/// A program that runs until it ends by itself or this is dropped.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    /// Starts a command; what it prints, on stdout and stderr, is kept.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (send, lines) = channel();
        forward(child.stdout.take().unwrap(), send.clone());
        forward(child.stderr.take().unwrap(), send);
        Self { child, lines }
    }

    /// Reads on until a line holds `part`, and returns it.
    ///
    /// # Panics
    /// When the program ends before, or none came in time; with the lines that came.
    pub fn wait_for(&self, part: &str) -> String {
        let (mut seen, start) = (Vec::new(), Instant::now());
        loop {
            match self.lines.recv_timeout(LIMIT.saturating_sub(start.elapsed())) {
                Ok(line) if line.contains(part) => return line,
                Ok(line) => seen.push(line),
                Err(RecvTimeoutError::Timeout) => panic!("no {part:?} in time, but {seen:#?}"),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended with {seen:#?}"),
            }
        }
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends a signal, such as TERM.
    ///
    /// # Panics
    /// When it does not run any more.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Waits for the end; returns the exit code and what was printed since the last look.
    ///
    /// # Panics
    /// When it does not end in time.
    pub fn end(mut self) -> (Option<i32>, Vec<String>) {
        let mut said = Vec::new();
        loop {
            match self.lines.recv_timeout(LIMIT) {
                Ok(line) => said.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end, but said {said:#?}"),
            }
        }
        (self.child.wait().unwrap().code(), said)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends the lines of an output on, until nobody wants them.
fn forward(output: impl Read + Send + 'static, send: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            if send.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
        }
    });
}

/// The variable that says where a desk listens.
const LISTEN: &str = "FRONTDESK_SERVER_LISTEN";

/// A desk that `frontdesk serve` opens. It can be killed, and comes back at the same address.
pub struct Serving {
    command: Command,
    running: Option<Running>,
    address: String,
}

impl Serving {
    /// Starts `serve` by a command that names the program, its desk and its environment, at a port
    /// that is free, and waits until it listens.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start(mut command: Command) -> Self {
        command.arg("serve").env(LISTEN, "127.0.0.1:0");
        let mut serving = Self { command, running: None, address: String::new() };
        serving.restart();
        serving
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What runs, to be read from and signalled to.
    ///
    /// # Panics
    /// Between [`Serving::kill`] and [`Serving::restart`].
    pub fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    /// Whether it runs, and has not ended by itself.
    pub fn is_running(&mut self) -> bool {
        self.running.as_mut().is_some_and(Running::is_running)
    }

    /// Kills it without a warning (SIGKILL).
    pub fn kill(&mut self) {
        drop(self.running.take());
    }

    /// Starts it at the address that it had.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn restart(&mut self) {
        self.kill();
        let running = Running::start(&mut self.command);
        let said = running.wait_for("listening on ");
        let (_, address) = said.split_once("listening on ").unwrap();
        self.address = address.split(';').next().unwrap_or_default().to_string();
        self.command.env(LISTEN, &self.address);
        self.running = Some(running);
    }

    /// Waits for the end; returns the exit code and what was printed since the last look.
    ///
    /// # Panics
    /// As [`Running::end`].
    pub fn end(mut self) -> (Option<i32>, Vec<String>) {
        self.running.take().unwrap().end()
    }
}
