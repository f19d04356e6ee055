import { texts } from '../language.ts';
import { percent } from '../parts/percent.ts';
import { date, number } from './numbers.ts';
import { type Exam, type Member, type Share, share } from './report.ts';

/** What a specialist's admission exam says, in sentences. */
export function ExamWords({ member, names }: { member: Member; names: Member[] }) {
  const t = texts().fleet.exam;
  const { exam } = member;
  if (!exam) return <p>{t.none}</p>;
  return (
    <>
      <p class="grey">{t.when(date(exam.examined_at_ms))}</p>
      <ul>
        {routing(exam, names).map((line) => <li key={line}>{line}</li>)}
        {answering(exam).map((line) => <li key={line}>{line}</li>)}
        {exam.refused && <li>{member.despite_exam ? t.despite : t.refused}</li>}
      </ul>
    </>
  );
}

function routing(exam: Exam, names: Member[]): string[] {
  const t = texts().fleet.exam;
  if (exam.general) return [t.general];
  const { asked, led, uncovered } = exam.own;
  const title = (id: string) => names.find((one) => one.id === id)?.title ?? id;
  const part = ({ asked, taken }: Share) => t.of(number(taken), number(asked), percent(share({ n: taken, of: asked })));
  const lost = exam.overlaps.filter((overlap) => overlap.lost > 0);
  return [
    asked === 0 ? t.noQuestions : t.own(asked, led, uncovered),
    ...lost.map((overlap) => t.lost(overlap.lost, title(overlap.specialist_id))),
    exam.unrelated_specialists === 0
      ? t.alone
      : t.unrelated(exam.unrelated_specialists, part(exam.unrelated_questions), part(exam.unrelated_prototypes)),
  ];
}

function answering({ answers }: Exam): string[] {
  const t = texts().fleet.exam;
  if (!answers) return [t.unasked];
  const lines = [t.answers(answers.asked, answers.answered, answers.cited, answers.no_answer)];
  if (answers.broken > 0) lines.push(t.broken(answers.broken));
  if (answers.first_words) lines.push(t.latency(number(answers.first_words.median_ms), number(answers.first_words.longest_ms)));
  return lines;
}
