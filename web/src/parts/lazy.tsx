// A component that is loaded when it is first shown, or just before.

import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { texts } from '../language.ts';

/** `load` ends when the component is there (true) or cannot be had. */
type Lazy<Props> = ComponentType<Props> & { load: () => Promise<boolean> };

export function lazy<Props extends object>(room: () => Promise<{ default: ComponentType<Props> }>): Lazy<Props> {
  let Loaded: ComponentType<Props> | undefined;
  const load = async () => {
    if (Loaded) return true;
    try {
      Loaded = (await room()).default;
    } catch {
      return false;
    }
    return true;
  };
  function Shown(props: Props) {
    const [there, set] = useState(Loaded ? true : null);
    useEffect(() => void load().then(set), []);
    if (Loaded) return <Loaded {...props} />;
    return there === false ? <p class="grey">{texts().errors.offline}</p> : null;
  }
  return Object.assign(Shown, { load });
}
