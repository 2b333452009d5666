//! What all benchmarks measure and print with: a clock, quantiles, a table, the machine.

use std::{
    fmt::{Display, Formatter, Result},
    fs,
    time::Instant,
};

/// Runs `work` and returns what it returned with the milliseconds it took.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let outcome = work();
    (outcome, start.elapsed().as_secs_f64() * 1e3)
}

/// Returns the value below which the share `at` (0 to 1) of the values lies, the nearest one; not
/// a number without values.
pub(crate) fn quantile(values: &[f64], at: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1) as f64;
    sorted.get((last * at).round() as usize).copied().unwrap_or(f64::NAN)
}

/// Visits `0..n` forwards in even rounds and backwards in odd ones, so that whoever is measured
/// after whom changes.
pub(crate) fn turns(n: usize, round: usize) -> Vec<usize> {
    if round.is_multiple_of(2) { (0..n).collect() } else { (0..n).rev().collect() }
}

/// Returns the value behind `--name` on the command line.
pub(crate) fn option(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}

/// Says what the figures below it were measured on, and how busy it was.
pub(crate) fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let processor = read("/proc/cpuinfo");
    let processor = processor.lines().find_map(|line| line.strip_prefix("model name"));
    let processor =
        processor.map_or("unknown processor", |name| name.trim_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown");
    format!("{processor}, {cores} cores, load {load}")
}

/// A Markdown table with its columns aligned.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(heads: &[&str]) -> Self {
        Self { rows: vec![heads.iter().map(|head| (*head).to_string()).collect()] }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        for (n, row) in self.rows.iter().enumerate() {
            for (column, cell) in row.iter().enumerate() {
                write!(f, "| {cell:<0$} ", width(column))?;
            }
            writeln!(f, "|")?;
            if n == 0 {
                for column in 0..row.len() {
                    write!(f, "|{:-<1$}", "", width(column) + 2)?;
                }
                writeln!(f, "|")?;
            }
        }
        Ok(())
    }
}
