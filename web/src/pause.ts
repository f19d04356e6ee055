/** Ends in another task: what is done at once for long holds up the page. */
export const pause = () => new Promise<void>((resume) => setTimeout(resume));
