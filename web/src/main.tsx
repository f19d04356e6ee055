import { render } from 'preact';

import './style/base.css';
import './style/layout.css';
import './style/chat.css';
import './style/panel.css';
import './style/print.css';
import { App } from './app.tsx';
import { speakTheirs } from './language.ts';
import { theme } from './theme.ts';

theme.apply();
await speakTheirs();
render(<App />, document.getElementById('page')!);
