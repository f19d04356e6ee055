//! What follows the lead: of those whose words were held, what is new and what contradicts. What repeats is
//! not said again; whose it is too is noted with the words that it repeats.

use std::{collections::HashMap, ops::Range};

use super::{
    Agreement, Difference, Disagreement, LeftOut, Measure, Merge, Part, Said,
    block::Block,
    compare::{Fate, Sentence, adds, fate, together},
    templates,
};

/// A sentence that waited, and what becomes of it.
#[derive(Debug)]
struct Reply {
    /// Bytes of the block's text, with the white space after it.
    range: Range<usize>,
    fate: Fate,
    /// It goes out.
    said: bool,
}

/// A sentence of a block that stands in the answer.
#[derive(Debug, Clone)]
struct Standing {
    place: usize,
    /// Which of the block's sentences.
    nth: usize,
    /// Bytes of the block's text, without white space around.
    range: Range<usize>,
    /// Bytes of the answer.
    at: Range<usize>,
}

impl Merge {
    /// What is to be measured before [`Merge::append`], once everybody has ended: nothing where nobody's words
    /// are held.
    pub fn to_measure(&self) -> Vec<Said<'_>> {
        if !self.blocks.iter().any(Block::is_held) {
            return Vec::new();
        }
        let said = self.blocks.iter().enumerate().filter(|(_, block)| !block.text.is_empty());
        let said = said.map(|(place, block)| {
            let sentences = block.sentences().into_iter().map(|range| &block.text[range]).collect();
            Said { place, sentences, cited: block.cited() }
        });
        said.collect()
    }

    /// What goes out once everybody has ended: of the words that are held what is new or contradicts, the best
    /// supported first. Without a measure nothing is compared and nobody left out.
    pub fn append(&mut self, measures: &HashMap<usize, Measure>) -> Vec<Part> {
        let support = |place: usize| measures.get(&place).map_or(0.0, |measure| measure.support);
        let said = self.blocks.iter().enumerate().filter(|(_, block)| !block.text.is_empty());
        let best = said.map(|(place, _)| support(place)).fold(f32::NEG_INFINITY, f32::max);
        let mut held: Vec<usize> =
            (0..self.blocks.len()).filter(|&place| self.blocks[place].is_held()).collect();
        held.sort_by(|a, b| support(*b).total_cmp(&support(*a)));
        let mut parts = Vec::new();
        for place in held {
            self.follow(place, adds(support(place), best), measures, &mut parts);
        }
        parts
    }

    /// Lets out what of the held words of `place` belongs in the answer; where `adds`, all that is new.
    fn follow(
        &mut self,
        place: usize,
        adds: bool,
        measures: &HashMap<usize, Measure>,
        parts: &mut Vec<Part>,
    ) {
        let standing = self.standing(measures);
        let replies = self.replies(place, adds, &standing, measures);
        let block = &mut self.blocks[place];
        block.settle();
        let [repeated, outranked] = left_out(&block.text, &replies);
        if repeated + outranked > 0 {
            let specialist = block.speaker.id.clone();
            self.left_out.push(LeftOut { specialist, repeated, outranked });
        }
        for range in chosen(&self.blocks[place].text, &replies) {
            for piece in self.blocks[place].pieces_in(&range) {
                self.words(place, piece, parts);
            }
        }
        self.close(place, parts);
        self.agree(place, &replies, &standing, parts);
        self.disagree(place, &replies, &standing, parts);
    }

    /// What becomes of each sentence of `place`; what follows those that are compared is one, and new.
    fn replies(
        &self,
        place: usize,
        adds: bool,
        standing: &[Standing],
        measures: &HashMap<usize, Measure>,
    ) -> Vec<Reply> {
        let block = &self.blocks[place];
        let mut ranges = block.sentences();
        let rest = ranges.last().map_or(0, |last| last.end)..block.text.len();
        ranges.extend((!rest.is_empty()).then_some(rest));
        let texts: Vec<&str> = ranges.iter().map(|range| &block.text[range.clone()]).collect();
        let vectors = measures.get(&place).map_or(&[][..], |measure| &measure.sentences);
        let others: Vec<Sentence> = standing.iter().map(|one| self.sentence(one, measures)).collect();
        let fate = |(nth, text): (usize, &&str)| {
            let text = text.trim();
            fate(&Sentence::new(text, vectors.get(nth).filter(|_| !text.is_empty())), &others)
        };
        let fates: Vec<Fate> = texts.iter().enumerate().map(fate).collect();
        let needed = fates.iter().map(|fate| match fate {
            Fate::New => adds,
            Fate::Repeats(_) => false,
            Fate::Conflicts(..) => true,
        });
        let said = together(&texts, needed.collect());
        let replies = ranges.into_iter().zip(fates).zip(said);
        replies.map(|((range, fate), said)| Reply { range, fate, said }).collect()
    }

    /// The sentences that stand in the answer and were measured.
    fn standing(&self, measures: &HashMap<usize, Measure>) -> Vec<Standing> {
        let mut standing = Vec::new();
        for (place, block) in self.blocks.iter().enumerate() {
            let measured = measures.get(&place).map_or(0, |measure| measure.sentences.len());
            for (nth, range) in block.sentences().into_iter().enumerate().take(measured) {
                let range = trimmed(&block.text, range);
                let at = block.stands_at(&range).filter(|_| !range.is_empty());
                standing.extend(at.map(|at| Standing { place, nth, range, at }));
            }
        }
        standing
    }

    fn sentence<'a>(&'a self, one: &Standing, measures: &'a HashMap<usize, Measure>) -> Sentence<'a> {
        let text = &self.blocks[one.place].text[one.range.clone()];
        Sentence::new(text, measures.get(&one.place).and_then(|measure| measure.sentences.get(one.nth)))
    }

    /// Names `place` as a source of what it repeats; in words, too, where none of its own are there.
    fn agree(&mut self, place: usize, replies: &[Reply], standing: &[Standing], parts: &mut Vec<Part>) {
        let specialist = self.blocks[place].speaker.id.clone();
        let mut sources: Vec<usize> = Vec::new();
        let mut repeats = 0;
        for Reply { range, fate, .. } in replies {
            let Fate::Repeats(other) = fate else { continue };
            repeats += 1;
            let range = trimmed(&self.blocks[place].text, range.clone());
            let citation = self.blocks[place].citation(&range).and_then(|citation| {
                Some((self.number(place, &citation.passage_id, parts)?, citation.range))
            });
            let number = citation.as_ref().map(|(number, _)| *number);
            sources.extend(number.filter(|number| !sources.contains(number)));
            let (range, specialist) = (standing[*other].at.clone(), specialist.clone());
            parts.push(Part::Agreement(Agreement { range, specialist, citation }));
        }
        if repeats > 0 && !self.blocks[place].spoke() {
            let agrees = templates::agrees(&self.name(place), repeats == replies.len(), &sources);
            parts.push(self.own_words(agrees));
        }
    }

    /// Points at what of `place` contradicts what stood there before it.
    fn disagree(&mut self, place: usize, replies: &[Reply], standing: &[Standing], parts: &mut Vec<Part>) {
        let mut pairs: Vec<(String, String, Vec<Difference>)> = Vec::new();
        for Reply { range, fate, .. } in replies {
            let Fate::Conflicts(other, difference) = *fate else { continue };
            let (earlier, range) = (&standing[other], trimmed(&self.blocks[place].text, range.clone()));
            let Some(later) = self.blocks[place].stands_at(&range) else { continue };
            let labels = (self.label(earlier.place, &earlier.range), self.label(place, &range));
            match pairs.iter_mut().find(|(one, other, _)| (one, other) == (&labels.0, &labels.1)) {
                Some((.., differences)) if differences.contains(&difference) => {}
                Some((.., differences)) => differences.push(difference),
                None => pairs.push((labels.0, labels.1, vec![difference])),
            }
            parts.push(Part::Disagreement(Disagreement { earlier: earlier.at.clone(), later, difference }));
        }
        for (one, other, differences) in pairs {
            let differ = templates::differ(&one, &other, &differences);
            parts.push(self.own_words(differ));
        }
    }

    /// What a reader can find the words in `range` by: the number of their source, or whose they are.
    fn label(&self, place: usize, range: &Range<usize>) -> String {
        let block = &self.blocks[place];
        let number = block.citation(range).and_then(|citation| block.numbers.get(&*citation.passage_id));
        number.map_or_else(|| self.name(place), |number| format!("[{number}]"))
    }
}

/// The ranges of `text` that go out: with the sentences that are said the line breaks between them, so that
/// paragraphs stay apart.
fn chosen(text: &str, replies: &[Reply]) -> Vec<Range<usize>> {
    let mut chosen: Vec<Range<usize>> = Vec::new();
    for (at, Reply { range, said, .. }) in replies.iter().enumerate() {
        let words_end = trimmed(text, range.clone()).end;
        let after = &replies[at + 1..];
        let range = if *said {
            // What is last ends where its words do, if something was left out after it.
            let ends = !after.is_empty() && !after.iter().any(|reply| reply.said);
            range.start..if ends { words_end } else { range.end }
        } else if !chosen.is_empty()
            && after.first().is_some_and(|next| next.said)
            && text[range.clone()].ends_with('\n')
        {
            words_end..range.end
        } else {
            continue;
        };
        match chosen.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => chosen.push(range),
        }
    }
    chosen
}

/// The bytes of the sentences that are not said: of those that repeat, and of the others.
fn left_out(text: &str, replies: &[Reply]) -> [usize; 2] {
    [true, false].map(|repeats| {
        let of_these = |reply: &&Reply| !reply.said && matches!(reply.fate, Fate::Repeats(_)) == repeats;
        replies.iter().filter(of_these).map(|reply| text[reply.range.clone()].trim().len()).sum()
    })
}

/// `range` without the white space around.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let words = &text[range.clone()];
    let start = range.start + (words.len() - words.trim_start().len());
    start..start + words.trim().len()
}

#[cfg(test)]
mod tests;
