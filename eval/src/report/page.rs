//! The page's text: sections that each begin with the figure that they are about.

use super::{Named, Records, plots};
use crate::{
    agreement::{self, Cosine},
    record::{Head, Machine, Record},
    speed::{self, Encode, Limit},
    statistics::Estimate,
    throughput::{self, Indexed, Rates},
};

/// The whole page.
pub(super) fn of(records: &Records) -> String {
    let Records { speed, throughput, agreement } = records;
    let speed = speed.iter().flat_map(|named| [encode(named), stages(named), limit(named)]);
    let throughput =
        throughput.iter().flat_map(|named| [Some(rates(&named.record)), indexing(&named.record)]);
    let agreement = agreement.iter().map(|named| same_vectors(&named.record));
    let sections = speed.chain(throughput.flatten()).chain(agreement);
    let page = ["# Performance\n".to_owned()].into_iter().chain(sections).chain([HOW.to_owned()]);
    page.collect::<Vec<_>>().join("\n")
}

const HOW: &str = "## How the numbers on this page are made

`make performance` measures everything on this page anew and writes the page; no number of it is typed by hand.

```sh
make performance CORPORA=DIR QUERIES=DIR PYTHON=python3
```

It runs `cargo eval speed`, `cargo eval throughput` and `cargo eval agreement`, which each keep a record in \
`eval/records/`: one JSON file for a command and a machine, with the command line, the date and the commit. \
`cargo eval report` writes the page from all records there. `PATH` in a command stands for a file or a folder. A \
number is the median of many rounds; the interval behind it covers the true median with 95 % confidence. A \
machine that others use too gives wider intervals. Engines take turns in each round, so what disturbs one \
disturbs all. See `eval/src/speed.rs`.
";

fn encode(Named { name, record: Record { record: head, figures } }: &Named<speed::Figures>) -> String {
    let first = figures.encode.first().map(|encode| encode.work.as_str()).unwrap_or_default();
    let of = |engine: &str| figures.encode.iter().find(|e| e.work == first && e.engine == engine);
    let own = of(&figures.engine).map(|encode| ms(encode.ms)).unwrap_or_default();
    let ratio = figures.packed_over_candle.map_or(String::new(), |ratio| {
        format!(" Round by round that is {ratio} of the time that candle takes on the same weights.")
    });
    section(
        &format!("How long does it take to encode a question? Engines compared on {}", head.machine.cpu),
        &format!(
            "A question of 12 tokens is encoded in {own} by the engine `{engine}` on {machine}.{ratio} The table \
             has the median milliseconds for questions of 12 tokens and passages of 128, one and 32 at once.\n\n\
             {table}\n{plot}\n\nAll engines compute the same vectors, within rounding, with all threads, and take \
             turns in each round. {source} See `eval/src/speed.rs`.",
            engine = figures.engine,
            machine = on(&head.machine),
            table = table(&figures.encode),
            plot = plot("Milliseconds to encode, for each engine", name, "encode"),
            source = source(head),
        ),
    )
}

/// Engines down, works across.
fn table(encode: &[Encode]) -> String {
    let (mut engines, mut works): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for Encode { engine, work, .. } in encode {
        let work = work.split_once(" of ").map_or(work.as_str(), |(short, _)| short);
        for (name, names) in [(engine.as_str(), &mut engines), (work, &mut works)] {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let head = ["engine"].into_iter().chain(works.iter().copied()).map(str::to_owned).collect();
    let rule = vec!["---".to_owned(); works.len() + 1];
    let rows = engines.into_iter().map(|engine| {
        let times = encode.iter().filter(|encode| encode.engine == engine);
        row([engine.to_owned()].into_iter().chain(times.map(|encode| encode.ms.short())).collect())
    });
    [row(head), row(rule)].into_iter().chain(rows).collect()
}

fn stages(Named { name, record: Record { record: head, figures } }: &Named<speed::Figures>) -> String {
    let stages = &figures.stages_us;
    section(
        &format!("How long does routing take? The stages of a route on {}", head.machine.cpu),
        &format!(
            "A question of 12 tokens is routed in {route}, from its arrival to the decision whom to ask, over \
             {prototypes} prototypes on {machine}. Cutting it into tokens takes {tokenize}, encoding it with \
             `{engine}` {encode}, the search for its nearest prototypes {search}, and the decision {decide}. What \
             is left is the way to the encoder's thread and back. Asking the specialists comes after that and is \
             not in these numbers: it takes as long as they take.\n\n{plot}\n\n{source} See `router/src/ask.rs`.",
            route = ms(figures.route_ms_p50),
            prototypes = figures.prototypes,
            machine = on(&head.machine),
            engine = figures.engine,
            tokenize = us(stages.tokenize),
            encode = us(stages.encode),
            search = us(stages.search),
            decide = us(stages.decide),
            plot = plot("The stages of a route, in microseconds", name, "stages"),
            source = source(head),
        ),
    )
}

fn limit(Named { name, record: Record { record: head, figures } }: &Named<speed::Figures>) -> String {
    let mut own = figures.encode.iter().filter(|encode| encode.engine == figures.engine);
    let (one, last) = (own.next().map(share), own.next_back().map(share));
    let limits = figures.limits.iter().map(|limit| {
        let Limit { of, gflops, gbytes } = limit;
        format!("{gflops} GFLOP/s and {gbytes} GB/s for {of}")
    });
    section(
        &format!("How near does the engine come to the limit of {}?", head.machine.cpu),
        &format!(
            "The engine `{engine}` reaches {one}, and {last}, on {machine}. The limit is measured in the same \
             rounds as the engines: multiply-adds of `f32` in registers, and reads of as much memory as the weights \
             fill. It was {limits}. The share is max(operations / operations a second, weight bytes / bytes a \
             second) / time, all threads together; operations and bytes are counted from the network's sizes, \
             without the rows of the vocabulary.\n\n{plot}\n\n{source} See `eval/src/speed/figures.rs`.",
            engine = figures.engine,
            one = one.unwrap_or_default(),
            last = last.unwrap_or_default(),
            machine = on(&head.machine),
            limits = limits.collect::<Vec<_>>().join(", and "),
            plot = plot("The share of the limit that each engine reaches", name, "limit"),
            source = source(head),
        ),
    )
}

fn share(encode: &Encode) -> String {
    format!("{} of the limit with {}", encode.limit_share, encode.work)
}

fn rates(Record { record: head, figures }: &Record<throughput::Figures>) -> String {
    let throughput::Figures { engine, device, callers, passages_per_s, questions_per_s, .. } = figures;
    let Rates { tokenized: questions_tokenized, end_to_end: questions } = questions_per_s;
    let Rates { tokenized: passages_tokenized, end_to_end: passages } = passages_per_s;
    section(
        &format!("How many questions a second can be routed on {}?", head.machine.cpu),
        &format!(
            "{questions} questions of 12 tokens a second are routed from text, with {callers} callers that wait \
             at the same time, by the engine `{engine}` ({device}) on {machine}. Each is cut into tokens, encoded in \
             a batch with others, searched for among {prototypes} prototypes of {specialists} specialists, and \
             decided. From tokens made before, it is {questions_tokenized} a second. Passages of 128 tokens are \
             encoded at {passages} a second from text and {passages_tokenized} from tokens. Asking the specialists \
             is not part of these rates.\n\n{source} See `eval/src/throughput.rs`.",
            machine = on(&head.machine),
            prototypes = figures.prototypes,
            specialists = figures.specialists,
            source = source(head),
        ),
    )
}

fn indexing(Record { record: head, figures }: &Record<throughput::Figures>) -> Option<String> {
    let Indexed { corpora, passages, tokens, seconds, passages_per_s, tokens_per_s } =
        figures.indexed.as_ref()?;
    Some(section(
        &format!("How long does it take to index a corpus on {}?", head.machine.cpu),
        &format!(
            "{corpora} corpora with {passages} passages together are indexed in {seconds:.0} seconds by the engine \
             `{engine}` on {machine}: {passages_per_s} passages a second, the median over the corpora. They hold \
             {tokens} tokens that the encoder reads, {tokens_per_s} a second; of a long passage it reads only the \
             first 256. Indexing here is what a specialist does when it starts without a cache: each passage is cut into tokens and \
             encoded, and an index is built over the vectors of each corpus. A later start takes the vectors of \
             unchanged passages from the cache.\n\n{source} See `eval/src/throughput.rs`.",
            engine = figures.engine,
            machine = on(&head.machine),
            source = source(head),
        ),
    ))
}

fn same_vectors(Record { record: head, figures }: &Record<agreement::Figures>) -> String {
    let agreement::Figures { engine, reference, passages, questions, cosine, same_nearest } = figures;
    let Cosine { least, first_percentile, median } = cosine;
    section(
        &format!("Does the fast engine give the same vectors as candle? Agreement on {}", head.machine.cpu),
        &format!(
            "The vectors of `{engine}` and of `{reference}` have a cosine of at least {least:.7} for each of {passages} \
             passages of real text on {machine}; the first percentile is {first_percentile:.7} and the median \
             {median:.7}. The passages are spread evenly over the corpora. Of {questions} real questions \
             {same} have the same ten nearest passages with both, where passages whose cosines differ by no \
             more than 0.00001 from the tenth count as ties; the interval is Wilson's. The command fails below \
             0.9999 for any passage, or 0.999 of the questions.\n\n{source} See `eval/src/agreement.rs`.",
            same = same_nearest.percent(),
            machine = on(&head.machine),
            source = source(head),
        ),
    )
}

fn section(heading: &str, text: &str) -> String {
    format!("## {heading}\n\n{text}\n")
}

fn on(Machine { cpu, features: _, threads, card }: &Machine) -> String {
    let threads = if *threads == 1 { "1 thread".to_owned() } else { format!("{threads} threads") };
    let card = card.as_ref().map_or(String::new(), |card| format!(" and {card}"));
    format!("{cpu} with {threads}{card}")
}

fn source(Head { command, date, commit, machine: _ }: &Head) -> String {
    let commit = commit.as_ref().map_or(String::new(), |commit| format!(" at commit {commit}"));
    format!("Printed by `{command}` on {date}{commit}.")
}

fn plot(title: &str, name: &str, kind: &str) -> String {
    format!("![{title}]({})", plots::path(name, kind))
}

fn ms(time: Estimate) -> String {
    format!("{time} milliseconds")
}

fn us(time: Estimate) -> String {
    format!("{time} microseconds")
}
