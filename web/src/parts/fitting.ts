// Places to write that are as high as what is written.

import type { RefObject } from 'preact';
import { useLayoutEffect } from 'preact/hooks';

/** Makes `area` as high as its `text` where style sheets cannot: where there is no `field-sizing`. */
export function useFitting(area: RefObject<HTMLTextAreaElement | null>, text: string): void {
  useLayoutEffect(() => {
    const { current } = area;
    if (!current || CSS.supports('field-sizing', 'content')) return;
    current.style.blockSize = 'auto';
    current.style.blockSize = `${current.scrollHeight}px`;
  }, [text]);
}
