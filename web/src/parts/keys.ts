// What keys are called here.

/** What shortcuts are pressed with. */
export const COMMAND = /Mac|iPhone|iPad/.test(navigator.platform) ? '⌘' : 'Ctrl';
