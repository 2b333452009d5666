use super::*;
use crate::{
    Embedder, Embedding, Generator, HashedEmbedder, Prompt, ScriptedChat,
    conformance::{keeps_its_promises, prompt},
};
use async_trait::async_trait;
use proptest::prelude::*;
use std::fs;

/// Counts what it is asked.
#[derive(Default)]
struct Counting(AtomicUsize);

#[async_trait]
impl Embedder for Counting {
    fn id(&self) -> &str {
        "counting"
    }

    fn dimension(&self) -> usize {
        HashedEmbedder.dimension()
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Embedding>, Error> {
        self.0.fetch_add(texts.len(), Ordering::Relaxed);
        HashedEmbedder.embed(texts).await
    }

    async fn embed_query(&self, text: &str) -> Result<Embedding, Error> {
        self.0.fetch_add(1, Ordering::Relaxed);
        HashedEmbedder.embed_query(text).await
    }
}

const LIMIT: usize = 1 << 20;

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_string()).collect()
}

/// Asks an embedder over `shelf` for texts; returns what came and how many were computed.
async fn asked(shelf: Shelf, of: &[&str]) -> (Vec<Embedding>, usize) {
    let counting = Arc::new(Counting::default());
    let kept = KeptEmbedder::new(counting.clone(), Arc::new(shelf));
    let vectors = kept.embed_now(&texts(of)).await.unwrap();
    (vectors, counting.0.load(Ordering::Relaxed))
}

fn on_disk(folder: &Path) -> Shelf {
    Shelf::on_disk(folder, LIMIT).unwrap()
}

#[tokio::test]
async fn a_text_is_embedded_once_and_comes_back_to_the_last_digit() {
    let counting = Arc::new(Counting::default());
    let shelf = Arc::new(Shelf::in_memory(LIMIT));
    let kept = KeptEmbedder::new(counting.clone(), shelf.clone());
    let plain = HashedEmbedder.embed(&texts(&["a refund", "", "an invoice"])).await.unwrap();
    for (of, expected) in [
        (&["a refund"][..], &plain[..1]),
        (&["a refund", "", "an invoice"], &plain[..]),
        (&["an invoice", "a refund"], &[plain[2].clone(), plain[0].clone()]),
        (&[], &[]),
    ] {
        assert_eq!(kept.embed_now(&texts(of)).await.unwrap(), expected, "{of:?}");
    }
    assert_eq!(counting.0.load(Ordering::Relaxed), 3);
    // A question is marked differently from a passage by some models, so it is another vector.
    for _ in 0..2 {
        assert_eq!(kept.embed_query("a refund").await.unwrap(), plain[0]);
    }
    assert_eq!(counting.0.load(Ordering::Relaxed), 4);
    assert_eq!(shelf.tally(), Tally { n_found: 4, n_computed: 4 });
}

#[tokio::test]
async fn another_process_finds_what_was_kept_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let (first, n_first) = asked(on_disk(folder.path()), &["one", "two"]).await;
    let (second, n_second) = asked(on_disk(folder.path()), &["two", "one", "three"]).await;
    assert_eq!((n_first, n_second), (2, 1));
    assert_eq!(&second[..2], &[first[1].clone(), first[0].clone()]);
}

#[tokio::test]
async fn two_that_add_at_once_do_not_spoil_each_others_entries() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (on_disk(folder.path()), on_disk(folder.path()));
    for n in 0_u8..200 {
        one.keep(key([&[n][..]]), vec![n; 997]);
        two.keep(key([&[n, n][..]]), vec![n; 1009]);
    }
    // Each also finds its own once they have left its memory.
    one.memory.lock().unwrap().entries.clear();
    let own = (0_u8..200).filter(|n| one.find(&key([&[*n][..]]), |b| Some(b.len())).is_some());
    assert!(own.count() > 100);
    drop((one, two));
    let both = on_disk(folder.path());
    for n in 0_u8..200 {
        assert_eq!(both.find(&key([&[n][..]]), |b| Some(b.to_vec())), Some(vec![n; 997]));
        assert_eq!(both.find(&key([&[n, n][..]]), |b| Some(b.to_vec())), Some(vec![n; 1009]));
    }
}

#[tokio::test]
async fn a_damaged_entry_is_computed_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("computed.kept");
    let (first, _) = asked(on_disk(folder.path()), &["one", "two", "three"]).await;
    let whole = fs::read(&file).unwrap();
    let line = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for at in [0, 70, 100, line - 2, line - 1, line + 5, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[at] = if damaged[at] == b'!' { b'?' } else { b'!' };
        fs::write(&file, &damaged).unwrap();
        let (again, n) = asked(on_disk(folder.path()), &["one", "two", "three"]).await;
        assert_eq!(again, first, "damaged at {at}");
        assert!((1..=2).contains(&n), "damaged at {at}: {n} computed");
        let (_, n) = asked(on_disk(folder.path()), &["one", "two", "three"]).await;
        assert_eq!(n, 0, "damaged at {at}: what was computed again is kept");
    }
}

#[tokio::test]
async fn half_a_line_left_by_a_kill_costs_that_entry_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("computed.kept");
    asked(on_disk(folder.path()), &["one", "two"]).await;
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 10]).unwrap();
    assert_eq!(asked(on_disk(folder.path()), &["one", "two"]).await.1, 1);
    assert_eq!(asked(on_disk(folder.path()), &["one", "two"]).await.1, 0);
}

#[test]
fn neither_memory_nor_disk_grows_beyond_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("computed.kept");
    let (limit, mut sizes) = (20_000, Vec::new());
    for round in 0_u8..6 {
        let shelf = Shelf::on_disk(folder.path(), limit).unwrap();
        for n in 0_u8..40 {
            shelf.keep(key([&[round, n][..]]), vec![n; 500]);
        }
        assert!(shelf.memory.lock().unwrap().n_bytes <= limit);
        drop(shelf);
        sizes.push(fs::metadata(&file).unwrap().len());
    }
    assert!(sizes.iter().all(|size| *size <= 4 * limit as u64), "{sizes:?}");
    assert!(sizes.windows(2).any(|pair| pair[1] < pair[0]), "it was never halved: {sizes:?}");
    let shelf = Shelf::on_disk(folder.path(), limit).unwrap();
    let newest = shelf.find(&key([&[5_u8, 0][..]]), |bytes| Some(bytes.len()));
    assert_eq!(newest, Some(500), "{sizes:?}");
}

#[tokio::test]
async fn a_kept_generator_keeps_the_promises_of_a_generator() {
    let chat = Arc::new(ScriptedChat::new().answers("", "As you wish."));
    let kept = KeptGenerator::new(chat, Arc::new(Shelf::in_memory(LIMIT)));
    keeps_its_promises(&kept, &[], None).await;
}

#[tokio::test]
async fn a_prompt_is_answered_once_and_a_failure_is_asked_again() {
    let chat = ScriptedChat::new().fails("outage", || Error::Busy).answers("", "As you wish.");
    let chat = Arc::new(chat);
    let kept = KeptGenerator::new(chat.clone(), Arc::new(Shelf::in_memory(LIMIT)));
    let plain = prompt("Be brief.", "A refund?", 9);
    let first = kept.complete(&plain).await.unwrap();
    assert_eq!(kept.complete(&plain).await.unwrap(), first);
    assert_eq!(chat.prompts().len(), 1);
    for other in [
        prompt("Be brief.", "A refund!", 9),
        prompt("Be brief.", "A refund?", 8),
        Prompt { temperature: 0.5, ..plain.clone() },
        Prompt { seed: 2, ..plain.clone() },
        prompt("Be", " brief.A refund?", 9),
    ] {
        kept.complete(&other).await.unwrap();
    }
    assert_eq!(chat.prompts().len(), 6);
    let outage = prompt("", "outage", 9);
    for _ in 0..2 {
        assert!(matches!(kept.complete(&outage).await, Err(Error::Busy)));
    }
    assert_eq!(chat.prompts().len(), 8);
}

#[tokio::test]
async fn what_is_cleared_is_gone_for_whoever_has_it_open_too() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Shelf::clear(folder.path()).unwrap(), 0, "nothing was kept");
    let open = || Shelf::on_disk(folder.path(), 1 << 20).unwrap();
    let (first, key) = (open(), key([b"a customer's words".as_slice()]));
    first.keep(key, b"a draft in plain text".to_vec());
    drop(first);
    let reading = open();
    let file = folder.path().join("computed.kept");
    assert!(file.metadata().unwrap().len() > 40);
    assert!(Shelf::clear(folder.path()).unwrap() > 40 && !file.exists());
    assert_eq!(reading.find(&key, |bytes| Some(bytes.to_vec())), None);
    assert_eq!(open().find(&key, |bytes| Some(bytes.to_vec())), None);
}

proptest! {
    #[test]
    fn a_completion_comes_back_as_it_was(text: String, bits: Vec<u32>, is_cut: bool) {
        let finish = if is_cut { crate::Finish::Limit } else { crate::Finish::Stop };
        let logprobs: Vec<f32> = bits.iter().map(|bits| f32::from_bits(*bits)).collect();
        let completion =
            crate::Completion { text, finish, logprobs, prompt_tokens: 7, reused_tokens: 3, written_tokens: 5 };
        let bytes = serde_json::to_vec(&generator::Stored::from(&completion)).unwrap();
        let stored: generator::Stored = serde_json::from_slice(&bytes).unwrap();
        let back = crate::Completion::from(stored);
        let back_bits: Vec<u32> = back.logprobs.iter().map(|l| l.to_bits()).collect();
        prop_assert_eq!((back.text, back.finish, back_bits), (completion.text, finish, bits));
    }
}
