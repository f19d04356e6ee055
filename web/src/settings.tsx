import { useState } from 'preact/hooks';

import { useChanging } from './changing.ts';
import { language, LANGUAGES, texts } from './language.ts';
import { Icon } from './parts/icons.tsx';
import { COMMAND } from './parts/keys.ts';
import { theme } from './theme.ts';

/** What a language calls itself. */
function nameOf(code: string): string {
  const name = new Intl.DisplayNames([code], { type: 'language' }).of(code) ?? code;
  return name.charAt(0).toLocaleUpperCase(code) + name.slice(1);
}

/** How the page looks and speaks, and its keys. */
export function Settings() {
  const t = texts().app;
  useChanging(theme);
  const [open, setOpen] = useState(false);
  const keys: [string, string][] = [
    [`${COMMAND} K`, t.keys.search],
    [`${COMMAND} Shift O`, t.keys.fresh],
    ['Enter', t.keys.send],
    ['Shift Enter', t.keys.line],
    ['@', t.keys.who],
    ['Esc', t.keys.leave],
  ];
  return (
    <div class={open ? 'settings open' : 'settings'}>
      <button type="button" class="quiet-link" aria-expanded={open} onClick={() => setOpen(!open)}><Icon name="settings" size={16} />{t.settings}</button>
      {open && (
        <>
          <fieldset>
            <legend class="small">{t.theme}</legend>
            {(['auto', 'light', 'dark'] as const).map((choice) => (
              <label class="small"><input type="radio" name="theme" checked={theme.choice === choice} onChange={() => theme.choose(choice)} />{t.themes[choice]}</label>
            ))}
          </fieldset>
          <label class="small">{t.language}
            <select class="field" value={language.code} onChange={(event) => language.choose(event.currentTarget.value)}>
              {LANGUAGES.map((code) => <option value={code} lang={code}>{nameOf(code)}</option>)}
            </select>
          </label>
          <p class="small">{t.shortcuts}</p>
          <dl class="keys small">{keys.map(([key, what]) => <div><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>)}</dl>
        </>
      )}
    </div>
  );
}
