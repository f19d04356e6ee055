import { texts } from '../language.ts';

/** Who is registered, and how they do. */
export default function Fleet() {
  const t = texts();
  return (
    <article class="page">
      <h1>{t.fleet.title}</h1>
    </article>
  );
}
