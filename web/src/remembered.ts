// What this browser remembers of the reader's choices. Where it may remember nothing, choices last until the page is left.

export function recall(name: string): string | null {
  try {
    return localStorage.getItem(`consilium.${name}`);
  } catch {
    return null;
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(`consilium.${name}`, value);
  } catch {
    // Not allowed, or full: the choice holds for now.
  }
}
