import { render } from 'preact';

import './style/base.css';
import { App } from './app.tsx';
import { speakTheirs } from './language.ts';
import { theme } from './theme.ts';

theme.apply();
await speakTheirs();
render(<App />, document.getElementById('page')!);
