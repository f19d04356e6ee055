// A button with a list of actions. Arrows move, Escape closes, and so does a click elsewhere.

import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

import { Icon, type IconName } from './icons.tsx';

export interface Action {
  icon: IconName;
  label: string;
  act: () => void;
  grave?: boolean;
}

/** What the list does not outlast, where it happens elsewhere. */
const AWAY = ['pointerdown', 'focusin'];

/** What moves the button that the list hangs on. */
const MOVING = ['scroll', 'resize'];

export function Menu({ label, actions, children }: { label: string; actions: Action[]; children: ComponentChildren }) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const items = () => [...(root.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
  const close = (refocus: boolean) => {
    setOpen(false);
    if (refocus) root.current?.querySelector('button')?.focus();
  };
  useLayoutEffect(() => {
    if (!open) return;
    place(list.current!, root.current!);
    items()[0]?.focus();
    const elsewhere = (event: Event) => {
      if (!root.current?.contains(event.target as globalThis.Node)) close(false);
    };
    const moved = () => list.current && place(list.current, root.current!);
    for (const event of AWAY) addEventListener(event, elsewhere, true);
    for (const event of MOVING) addEventListener(event, moved, true);
    return () => {
      for (const event of AWAY) removeEventListener(event, elsewhere, true);
      for (const event of MOVING) removeEventListener(event, moved, true);
    };
  }, [open]);
  const keys = (event: KeyboardEvent) => {
    if (!open) return;
    const all = items();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
    if (next !== undefined) all[next % all.length]?.focus();
    else if (event.key === 'Escape') close(true);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="menu" ref={root} onKeyDown={keys}>
      <button type="button" class="icon-button" aria-label={label} title={label} aria-haspopup="menu" aria-expanded={open} onClick={() => setOpen(!open)}>
        {children}
      </button>
      {open && (
        <div ref={list} role="menu" class="popup" popover="manual" aria-label={label}>
          {actions.map((action) => (
            <button type="button" role="menuitem" tabIndex={-1} class={action.grave ? 'grave' : ''} onClick={() => (close(true), action.act())}>
              <Icon name={action.icon} size={16} />
              {action.label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

/** Shows `list` above everything else, under the button that it is of, or over it where there is no room. */
function place(list: HTMLElement, button: HTMLElement): void {
  if (!list.matches(':popover-open')) list.showPopover();
  const [{ width, height }, { top, right, bottom }] = [list.getBoundingClientRect(), button.getBoundingClientRect()];
  list.style.left = `${Math.max(0, right - width)}px`;
  list.style.top = `${bottom + height > innerHeight ? Math.max(0, top - height) : bottom}px`;
}
