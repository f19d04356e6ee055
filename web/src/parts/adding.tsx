/** How a specialist comes to this router, for whoever runs them. */
export function Adding() {
  return (
    <pre class="command" tabIndex={0}><code>{`specialist serve --config specialist.toml\nregistry add http://HOST:PORT --router ${location.origin}`}</code></pre>
  );
}
