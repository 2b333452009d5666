use super::notation::Part;
use super::vocabulary::{Code, END, FINISH, START, Vocabulary};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

/// Finds several patterns in a coded message in one pass, whatever their number of alternatives.
///
/// It is the position automaton of Glushkov (1961): a state for every place of a pattern where a
/// word is due, and no empty steps. Only the states that a word of the message begins are ever
/// alive, so that ordinary messages cost a few steps a word; an automaton over letters, which
/// tries every pattern at every word, was measured eighty times as slow on such patterns.
#[derive(Debug)]
pub(super) struct Automaton {
    /// Sets of codes, one bit a code.
    sets: Vec<Vec<u64>>,
    states: Vec<State>,
    /// The states after each state, list after list.
    after: Vec<u32>,
    /// The states that a pattern can begin with, by the code that begins it.
    first: Vec<Vec<u32>>,
}

#[derive(Debug)]
struct State {
    /// Index of the set of codes that is due here.
    set: usize,
    after: Range<usize>,
    /// Index of the set of codes that are due at any state after this one.
    any_after: usize,
    pattern: usize,
    /// Whether the pattern may end here.
    ends: bool,
}

/// Where a pattern was found, in words of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) pattern: usize,
    pub(super) words: Range<usize>,
}

impl Automaton {
    /// Compiles patterns, which are numbered in their order.
    pub(super) fn new<'a>(
        patterns: impl IntoIterator<Item = &'a Part>,
        vocabulary: &Vocabulary,
    ) -> Self {
        let mut builder = Builder::new(vocabulary);
        let mut first = vec![Vec::new(); vocabulary.n_codes()];
        for (pattern, part) in patterns.into_iter().enumerate() {
            builder.pattern = pattern;
            let ends = builder.add(part);
            for state in ends.first {
                for code in builder.members(state) {
                    if let Some(states) = first.get_mut(code) {
                        states.push(state);
                    }
                }
            }
            for state in ends.last {
                if let Some(state) = builder.states.get_mut(state as usize) {
                    state.ends = true;
                }
            }
        }
        builder.finish(first)
    }

    /// Whether any pattern is found.
    pub(super) fn is_match(&self, codes: &[Code]) -> bool {
        let mut is_match = false;
        self.run(codes, |_| is_match = true);
        is_match
    }

    /// Returns where each pattern is found; of those that begin at one word the longest.
    pub(super) fn find(&self, codes: &[Code]) -> Vec<Found> {
        let mut all: Vec<Found> = Vec::new();
        self.run(codes, |found| {
            let same = |other: &&mut Found| {
                other.pattern == found.pattern && other.words.start == found.words.start
            };
            match all.iter_mut().rev().take(RECENT).find(same) {
                Some(earlier) => earlier.words.end = found.words.end,
                None => all.push(found),
            }
        });
        all
    }

    fn run(&self, codes: &[Code], mut report: impl FnMut(Found)) {
        // One bit a state, since clearing a number a state would cost more than the steps.
        let mut reached = vec![0_u64; self.states.len().div_ceil(64)];
        let (mut alive, mut next): (Vec<Alive>, Vec<Alive>) = (Vec::new(), Vec::new());
        for (at, code) in codes.iter().enumerate() {
            next.clear();
            for Alive { state, .. } in &alive {
                if let Some(bits) = reached.get_mut(*state as usize / 64) {
                    *bits &= !(1 << (*state % 64));
                }
            }
            let mut enter = |number: u32, start: usize| {
                let Some(bits) = reached.get_mut(number as usize / 64) else { return };
                let Some(state) = self.states.get(number as usize) else { return };
                let bit = 1 << (number % 64);
                if *bits & bit == 0 && self.holds(state.set, *code) {
                    *bits |= bit;
                    next.push(Alive { state: number, start });
                    if state.ends {
                        report(Found { pattern: state.pattern, words: start..at + 1 });
                    }
                }
            };
            for Alive { state, start } in &alive {
                let Some(state) = self.states.get(*state as usize) else { continue };
                if self.holds(state.any_after, *code) {
                    for number in self.after.get(state.after.clone()).unwrap_or_default() {
                        enter(*number, *start);
                    }
                }
            }
            for number in self.first.get(usize::from(*code)).map_or(&[][..], Vec::as_slice) {
                enter(*number, at);
            }
            std::mem::swap(&mut alive, &mut next);
        }
    }

    fn holds(&self, set: usize, code: Code) -> bool {
        let (block, bit) = (usize::from(code) / 64, usize::from(code) % 64);
        let block = self.sets.get(set).and_then(|set| set.get(block));
        block.is_some_and(|block| block >> bit & 1 == 1)
    }
}

/// A state that the words since `start` lead to.
struct Alive {
    state: u32,
    start: usize,
}

/// Matches that begin at one word are reported within a few words of each other.
const RECENT: usize = 16;

struct Builder<'a> {
    vocabulary: &'a Vocabulary,
    pattern: usize,
    sets: Vec<Vec<u64>>,
    known_sets: HashMap<Vec<u64>, usize>,
    states: Vec<State>,
    /// By state; becomes `Automaton::after`.
    after: Vec<BTreeSet<u32>>,
}

/// How a part joins its neighbours.
struct Ends {
    /// Whether it may be left out.
    empty: bool,
    first: Vec<u32>,
    last: Vec<u32>,
}

impl<'a> Builder<'a> {
    fn new(vocabulary: &'a Vocabulary) -> Self {
        Self {
            vocabulary,
            pattern: 0,
            sets: Vec::new(),
            known_sets: HashMap::new(),
            states: Vec::new(),
            after: Vec::new(),
        }
    }

    fn add(&mut self, part: &Part) -> Ends {
        match part {
            Part::One(symbols) if symbols.is_empty() => self.any(),
            Part::One(symbols) => self.state(self.vocabulary.codes(symbols)),
            Part::End => self.state(vec![END, START, FINISH]),
            Part::First => self.state(vec![START]),
            Part::Last => self.state(vec![FINISH]),
            Part::Gap(n) => {
                let mut ends = Ends { empty: true, first: Vec::new(), last: Vec::new() };
                for _ in 0..*n {
                    let next = self.any();
                    ends = self.join(ends, Ends { empty: true, ..next });
                }
                ends
            }
            Part::All(parts) => {
                let mut ends = Ends { empty: true, first: Vec::new(), last: Vec::new() };
                for part in parts {
                    let next = self.add(part);
                    ends = self.join(ends, next);
                }
                ends
            }
            Part::Either(parts) => {
                let mut ends = Ends { empty: false, first: Vec::new(), last: Vec::new() };
                for part in parts {
                    let more = self.add(part);
                    ends.empty |= more.empty;
                    ends.first.extend(more.first);
                    ends.last.extend(more.last);
                }
                ends
            }
            Part::Repeated(part, mark) => {
                let mut ends = self.add(part);
                if *mark != '?' {
                    self.link(&ends.last, &ends.first);
                }
                ends.empty |= *mark != '+';
                ends
            }
        }
    }

    fn join(&mut self, one: Ends, other: Ends) -> Ends {
        self.link(&one.last, &other.first);
        let mut first = one.first;
        if one.empty {
            first.extend(&other.first);
        }
        let mut last = other.last;
        if other.empty {
            last.extend(one.last);
        }
        Ends { empty: one.empty && other.empty, first, last }
    }

    fn link(&mut self, from: &[u32], to: &[u32]) {
        for state in from {
            if let Some(after) = self.after.get_mut(*state as usize) {
                after.extend(to);
            }
        }
    }

    fn any(&mut self) -> Ends {
        let all = (0..self.vocabulary.n_codes()).filter_map(|code| Code::try_from(code).ok());
        let words = all.filter(|code| ![START, END, FINISH].contains(code)).collect();
        self.state(words)
    }

    fn state(&mut self, codes: Vec<Code>) -> Ends {
        let mut bits = vec![0_u64; self.vocabulary.n_codes().div_ceil(64)];
        for code in codes {
            if let Some(block) = bits.get_mut(usize::from(code) / 64) {
                *block |= 1 << (usize::from(code) % 64);
            }
        }
        let set = self.set(bits);
        let number = u32::try_from(self.states.len()).unwrap_or(u32::MAX);
        self.states.push(State {
            set,
            after: 0..0,
            any_after: 0,
            pattern: self.pattern,
            ends: false,
        });
        self.after.push(BTreeSet::new());
        Ends { empty: false, first: vec![number], last: vec![number] }
    }

    fn set(&mut self, bits: Vec<u64>) -> usize {
        let next = self.sets.len();
        *self.known_sets.entry(bits).or_insert_with_key(|bits| {
            self.sets.push(bits.clone());
            next
        })
    }

    /// Returns the codes that are due at a state.
    fn members(&self, state: u32) -> Vec<usize> {
        let set = self.states.get(state as usize).and_then(|state| self.sets.get(state.set));
        let bits = set.into_iter().flatten().enumerate();
        bits.flat_map(|(block, bits)| {
            (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| block * 64 + bit)
        })
        .collect()
    }

    fn union(&mut self, states: &[u32]) -> usize {
        let mut bits = vec![0_u64; self.vocabulary.n_codes().div_ceil(64)];
        let mut sets: Vec<usize> =
            states.iter().filter_map(|state| Some(self.states.get(*state as usize)?.set)).collect();
        sets.sort_unstable();
        sets.dedup();
        for set in sets.into_iter().filter_map(|set| self.sets.get(set)) {
            bits.iter_mut().zip(set).for_each(|(all, more)| *all |= more);
        }
        self.set(bits)
    }

    /// Lays out what comes after each state; states with the same continuation share it.
    fn finish(mut self, first: Vec<Vec<u32>>) -> Automaton {
        let (mut after, mut known) = (Vec::new(), HashMap::new());
        for (number, next) in std::mem::take(&mut self.after).into_iter().enumerate() {
            let next: Vec<u32> = next.into_iter().collect();
            if !known.contains_key(&next) {
                let start = after.len();
                after.extend(&next);
                let any_after = self.union(&next);
                known.insert(next.clone(), (start..after.len(), any_after));
            }
            if let (Some(state), Some((range, any))) =
                (self.states.get_mut(number), known.get(&next))
            {
                (state.after, state.any_after) = (range.clone(), *any);
            }
        }
        Automaton { sets: self.sets, states: self.states, after, first }
    }
}
