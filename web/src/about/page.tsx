import { texts } from '../language.ts';

/** The rules in force. */
export default function About() {
  const t = texts();
  return (
    <article class="page">
      <h1>{t.about.title}</h1>
    </article>
  );
}
