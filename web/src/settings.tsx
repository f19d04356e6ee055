import { useChanging } from './changing.ts';
import { language, LANGUAGES, texts } from './language.ts';
import { Icon } from './parts/icons.tsx';
import { type Choice, theme } from './theme.ts';


function nameOf(code: string): string {
  return new Intl.DisplayNames([code], { type: 'language' }).of(code) ?? code;
}

/** How the page looks and speaks, and its keys. */
export function Settings() {
  const t = texts().app;
  useChanging(theme);
  const keys: [string, string][] = [
    ['Ctrl K', t.keys.search],
    ['Ctrl Shift O', t.keys.fresh],
    ['Enter', t.keys.send],
    ['Shift Enter', t.keys.line],
    ['@', t.keys.who],
    ['Esc', t.keys.leave],
  ];
  return (
    <details class="settings">
      <summary class="quiet-link"><Icon name="settings" size={16} />{t.settings}</summary>
      <label class="small">{t.theme}
        <select class="field" value={theme.choice} onChange={(event) => theme.choose(event.currentTarget.value as Choice)}>
          {(['auto', 'light', 'dark'] as const).map((choice) => <option value={choice}>{t.themes[choice]}</option>)}
        </select>
      </label>
      <label class="small">{t.language}
        <select class="field" value={language.code} onChange={(event) => language.choose(event.currentTarget.value)}>
          {LANGUAGES.map((code) => <option value={code} lang={code}>{nameOf(code)}</option>)}
        </select>
      </label>
      <p class="small">{t.shortcuts}</p>
      <dl class="keys small">{keys.map(([key, what]) => <><dt><kbd>{key}</kbd></dt><dd>{what}</dd></>)}</dl>
    </details>
  );
}
