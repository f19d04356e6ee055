// A question to the reader that comes before everything else. The browser keeps the focus inside and returns it.

import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';

import { texts } from '../language.ts';
import { IconButton } from './icons.tsx';

interface Props {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  class?: string;
}

export function Dialog({ title, onClose, children, ...props }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const id = useId();
  // While it stands: one that is gone already could not return the focus.
  useLayoutEffect(() => {
    const { current } = dialog;
    current?.showModal();
    // Nothing is pressed by accident: the title is read first, unless there is something to write.
    if (!current?.querySelector('[autofocus]')) heading.current?.focus();
    return () => current?.close();
  }, []);
  const outside = (event: MouseEvent) => {
    if (event.target === dialog.current) onClose();
  };
  const cancel = (event: Event) => {
    event.preventDefault();
    onClose();
  };
  return (
    <dialog ref={dialog} class={`dialog ${props.class ?? ''}`} aria-labelledby={id} onClick={outside} onCancel={cancel}>
      <div class="dialog-inside">
        <header>
          <h2 id={id} ref={heading} tabIndex={-1}>{title}</h2>
          <IconButton name="close" label={texts().app.close} onClick={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  );
}
