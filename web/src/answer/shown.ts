// What draws answers is loaded with the first of them.

import { lazy } from '../parts/lazy.tsx';

export const AnswerView = lazy(() => import('./view.tsx'));
