// A component that is loaded when it is first shown.

import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { texts } from '../language.ts';

export function lazy<Props extends object>(load: () => Promise<{ default: ComponentType<Props> }>): ComponentType<Props> {
  let Loaded: ComponentType<Props> | undefined;
  return function Lazy(props: Props) {
    const [state, set] = useState<'loading' | 'failed' | 'there'>(Loaded ? 'there' : 'loading');
    useEffect(() => {
      // It may have come between drawing and this.
      if (Loaded) return set('there');
      load().then(
        (module) => {
          Loaded = module.default;
          set('there');
        },
        () => set('failed'),
      );
    }, []);
    if (Loaded) return <Loaded {...props} />;
    return state === 'failed' ? <p class="grey">{texts().errors.offline}</p> : null;
  };
}
