import { lazy } from './parts/lazy.tsx';
import { useChanging } from './changing.ts';
import { language } from './language.ts';
import { address } from './routes.ts';

const Fleet = lazy(() => import('./fleet/page.tsx'));
const About = lazy(() => import('./about/page.tsx'));

/** The whole page. */
export function App() {
  useChanging(language);
  const { route } = useChanging(address);
  return <main>{route.name === 'fleet' ? <Fleet /> : route.name === 'about' ? <About /> : null}</main>;
}
