// Pictures of one stroke, which need no font.

const PATHS = {
  plus: 'M12 5v14M5 12h14',
  search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14M16.2 16.2 20.5 20.5',
  side: 'M4 5h16v14H4zM9.5 5v14',
  send: 'M12 19V5.5M6 11.5l6-6 6 6',
  stop: 'M7 7h10v10H7z',
  copy: 'M9 9h10.5v10.5H9zM15 9V4.5H4.5V15H9',
  again: 'M19.5 12a7.5 7.5 0 1 1-2.3-5.4M19.5 3.5v4.2h-4.2',
  up: 'M7.5 10.5v9h-3v-9zM7.5 11l4-7.5c1.6 0 2.4 1 2.1 2.5l-.6 3.5h5.2c1.2 0 1.9.9 1.7 2l-1.2 6.4c-.2 1-.9 1.6-1.9 1.6H7.5',
  down: 'M16.5 13.5v-9h3v9zM16.5 13l-4 7.5c-1.6 0-2.4-1-2.1-2.5l.6-3.5H5.8c-1.2 0-1.9-.9-1.7-2l1.2-6.4c.2-1 .9-1.6 1.9-1.6h9.3',
  pencil: 'm4.5 19.5.9-4L16 5a2.1 2.1 0 0 1 3 3L8.5 18.6zM14 7l3 3',
  close: 'M6 6l12 12M18 6 6 18',
  back: 'M14.5 6l-6 6 6 6',
  forth: 'M9.5 6l6 6-6 6',
  more: 'M5.5 12h.01M12 12h.01M18.5 12h.01',
  pin: 'M9 4.5h6l-.8 6 3.3 3.5h-11l3.3-3.5zM12 14v6',
  folder: 'M3.5 6.5h6l2 2.5h9v10h-17z',
  share: 'M12 15V4M8 7.5 12 3.5l4 4M5 12.5V20h14v-7.5',
  load: 'M12 4v11M8 11.5l4 4 4-4M5 19.5h14',
  trash: 'M5 7h14M9.5 7V4.5h5V7M6.5 7l.9 12.5h9.2L17.5 7M10.3 10.5v5.5M13.7 10.5v5.5',
  people: 'M9 11.5a3.3 3.3 0 1 0 0-6.6 3.3 3.3 0 0 0 0 6.6M3 19.5c.3-3.4 2.6-5.2 6-5.2s5.7 1.8 6 5.2M15.8 5.3a3 3 0 0 1 0 5.8M17.5 14.6c2.1.6 3.3 2.3 3.5 4.9',
  eye: 'M2.8 12S6 5.8 12 5.8 21.2 12 21.2 12 18 18.2 12 18.2 2.8 12 2.8 12M12 9.3a2.7 2.7 0 1 0 0 5.4 2.7 2.7 0 0 0 0-5.4',
  shield: 'M12 3.5 5 6v5.2c0 4.4 2.7 7.6 7 9.3 4.3-1.7 7-4.9 7-9.3V6zM8.8 11.8l2.3 2.3 4.2-4.4',
  alert: 'M12 4.2 3 19.5h18zM12 10v4.5M12 17.2h.01',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  info: 'M12 3.8a8.2 8.2 0 1 0 0 16.4 8.2 8.2 0 0 0 0-16.4M12 11v5M12 8h.01',
  out: 'M13.5 4.5h6v6M19 5l-8.5 8.5M17 13.5v5.5H5V7h5.5',
  settings: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 4.8v4.4M9 14.8v4.4',
  book: 'M12 6.5C10 5 7 4.5 4 4.8v13.4c3-.3 6 .2 8 1.7 2-1.5 5-2 8-1.7V4.8c-3-.3-6 .2-8 1.7v13.4',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  const dots = name === 'more';
  return (
    <svg viewBox="0 0 24 24" width={size} height={size} fill={name === 'stop' ? 'currentColor' : 'none'} stroke="currentColor" stroke-width={dots ? 2.6 : 1.7} stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** A button that is an icon; `label` is its name for those who do not see it, and for those who point at it. */
export function IconButton(props: { name: IconName; label: string; onClick: () => void; pressed?: boolean; disabled?: boolean; class?: string }) {
  const { name, label, onClick, pressed, disabled } = props;
  return (
    <button type="button" class={`icon-button ${props.class ?? ''}`} aria-label={label} title={label} aria-pressed={pressed} disabled={disabled} onClick={onClick}>
      <Icon name={name} />
    </button>
  );
}
