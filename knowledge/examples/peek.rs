//! scratch
use knowledge::*;
use std::collections::HashMap;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let root = std::path::PathBuf::from(&args[2]);
    let t = std::time::Instant::now();
    let folder = read_folders(&[root.join("articles")], &ReadOptions::default()).unwrap();
    let read = t.elapsed();
    if args[1] == "notes" {
        for n in &folder.notes {
            println!("{}:{} {} -> {}", n.path.display(), n.line, n.what, n.mend);
        }
        let mut loc: HashMap<&str, usize> = HashMap::new();
        for a in &folder.articles {
            *loc.entry(&a.locale).or_default() += 1;
            if a.locale != "en" {
                println!("{} {}", a.locale, a.place);
            }
        }
        println!("{loc:?}");
        return;
    }
    if args[1] == "show" {
        for a in folder.articles.iter().filter(|a| a.place.contains(&args[3])) {
            println!("##### {} | {} | {}", a.id, a.title, a.place);
            for p in split(a) {
                println!(
                    "=== [{}] {:?} {}w\n{}",
                    p.heading.join(" > "),
                    p.range,
                    p.text.split_whitespace().count(),
                    p.text
                );
            }
        }
        return;
    }
    if args[1] == "sizes" {
        let t = std::time::Instant::now();
        let mut sizes: Vec<usize> = folder
            .articles
            .iter()
            .flat_map(|a| split(a))
            .map(|p| p.text.split_whitespace().count())
            .collect();
        let split = t.elapsed();
        sizes.sort();
        let n = sizes.len();
        println!(
            "read {read:?} split {split:?} n {n} pct {:?} mean {}",
            (0..=10).map(|d| sizes[(n - 1) * d / 10]).collect::<Vec<_>>(),
            sizes.iter().sum::<usize>() / n
        );
        println!(
            "empty {} under10 {} under25 {}",
            sizes.iter().filter(|s| **s == 0).count(),
            sizes.iter().filter(|s| **s < 10).count(),
            sizes.iter().filter(|s| **s < 25).count()
        );
        return;
    }
    if args[1] == "weird" {
        for a in &folder.articles {
            for p in split(a) {
                let mut fenced = false;
                for l in p.text.lines() {
                    if l.trim_start().starts_with("```") {
                        fenced = !fenced;
                        continue;
                    }
                    if !fenced
                        && (l.contains("</")
                            || l.contains("{:")
                            || l.contains("**")
                            || l.contains("](")
                            || l.contains("/>")
                            || l.contains("  - -"))
                    {
                        println!("{}: {}", a.place, l.chars().take(200).collect::<String>());
                    }
                }
            }
        }
        return;
    }
    // words retrieval
    let spec = EmbedderSpec { id: "none".into(), dimension: 1 };
    let dir = std::env::temp_dir().join(format!("peek-{}", std::process::id()));
    let t = std::time::Instant::now();
    let up = Update::plan(&dir, folder, &spec).unwrap();
    let n = up.texts().len();
    println!("read {read:?} plan {:?} texts {n}", t.elapsed());
    let t = std::time::Instant::now();
    let k = up.commit(vec![vec![0.0]; n]).unwrap();
    println!("commit {:?}", t.elapsed());
    let t = std::time::Instant::now();
    let k2 = Knowledge::open(&dir, &spec).unwrap();
    println!("open {:?} {}", t.elapsed(), k2.passages().len());
    let reader = Reader::default();
    let cases = std::fs::read_to_string(root.join("cases.jsonl")).unwrap();
    for (pw, aw) in [(1.0, 0.0), (0.0, 1.0), (0.5, 0.5)] {
        let (mut h1, mut h3, mut h5, mut h10, mut n) = (0, 0, 0, 0, 0);
        let t = std::time::Instant::now();
        for line in cases.lines() {
            let v: serde_json::Value = serde_json::from_str(line).unwrap();
            let gold: Vec<usize> = v["expect"]["articles"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|a| k.article_named(a.as_str().unwrap()))
                .collect();
            if gold.is_empty() {
                continue;
            }
            let turns: Vec<&str> = v["messages"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|m| m["author"] == "customer")
                .map(|m| m["text"].as_str().unwrap())
                .collect();
            let mut words: Vec<(&str, f32)> = vec![];
            for (i, t) in turns.iter().rev().take(2).enumerate() {
                words.push((t, if i == 0 { 1.0 } else { 0.6 }));
            }
            let f = k
                .search(&Query {
                    words: &words,
                    vector: None,
                    mode: Mode::Words,
                    fusion: Fusion { meaning: 0.0, passage_words: pw, article_words: aw },
                    reader: &reader,
                    top: 100,
                    without: &[],
                })
                .unwrap();
            let mut seen = vec![];
            for h in &f.hits {
                if !seen.contains(&h.article) {
                    seen.push(h.article);
                }
            }
            n += 1;
            let r = seen.iter().position(|a| gold.contains(a)).unwrap_or(999);
            if r < 1 {
                h1 += 1
            }
            if r < 3 {
                h3 += 1
            }
            if r < 5 {
                h5 += 1
            }
            if r < 10 {
                h10 += 1
            }
        }
        let p = |x: usize| x as f32 / n as f32;
        println!(
            "passage {pw} article {aw}: n {n} hit@1 {:.3} @3 {:.3} @5 {:.3} @10 {:.3} {:?}/query",
            p(h1),
            p(h3),
            p(h5),
            p(h10),
            t.elapsed() / n as u32
        );
    }
    let _ = std::fs::remove_dir_all(&dir);
}
