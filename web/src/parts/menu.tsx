// A button with a list of actions. Arrows move, Escape closes, and so does a click elsewhere.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

import { Icon, type IconName } from './icons.tsx';

export interface Action {
  icon: IconName;
  label: string;
  act: () => void;
  grave?: boolean;
}

export function Menu({ label, actions, children, class: name = '' }: { label: string; actions: Action[]; children: ComponentChildren; class?: string }) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const items = () => [...(root.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
  const close = (refocus: boolean) => {
    setOpen(false);
    if (refocus) root.current?.querySelector('button')?.focus();
  };
  useEffect(() => {
    if (!open) return;
    items()[0]?.focus();
    const elsewhere = (event: Event) => {
      if (!root.current?.contains(event.target as Element)) close(false);
    };
    document.addEventListener('pointerdown', elsewhere);
    document.addEventListener('focusin', elsewhere);
    return () => {
      document.removeEventListener('pointerdown', elsewhere);
      document.removeEventListener('focusin', elsewhere);
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
    <div class={`menu ${name}`} ref={root} onKeyDown={keys}>
      <button type="button" class="icon-button" aria-label={label} title={label} aria-haspopup="menu" aria-expanded={open} onClick={() => setOpen(!open)}>
        {children}
      </button>
      {open && (
        <div role="menu" class="popup" aria-label={label}>
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
