import { useEffect, useRef, useState } from 'preact/hooks';

/** A formula; what sets it is loaded with the first one. Until then, or where it is wrong, its source is shown. */
export function MathView({ tex, display }: { tex: string; display: boolean }) {
  const root = useRef<HTMLSpanElement>(null);
  const [set, setSet] = useState(false);
  useEffect(() => {
    let current = true;
    setSet(false);
    import('./math.ts').then(
      ({ formula }) => {
        const made = formula(tex, display);
        if (!current || !made) return;
        root.current?.replaceChildren(made);
        setSet(true);
      },
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, [tex, display]);
  return (
    <>
      <span class={display ? 'math display' : 'math'} hidden={!set} ref={root} />
      {!set && <code class="tex">{tex}</code>}
    </>
  );
}
