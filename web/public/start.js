// Says why the page did not start. No module: where modules do not come, this has to. Their errors reach the document
// only while they are caught on the way down.
(() => {
  const why = () => {
    if (location.protocol === 'file:') return 'OPENED_AS_FILE';
    return self.origin === 'null' ? 'SANDBOXED' : 'PART_MISSING';
  };
  const tell = () => {
    /** @type {HTMLElement | null} */
    const place = document.querySelector('dermlet-classifier > .notice');
    if (!place || customElements.get('dermlet-classifier')) return;
    const cause = why();
    for (const text of place.querySelectorAll('[data-cause]'))
      text.toggleAttribute('hidden', text.getAttribute('data-cause') !== cause);
    const code = place.querySelector('code');
    if (code) code.textContent = cause;
    place.hidden = false;
  };
  let failed = !('noModule' in HTMLScriptElement.prototype);
  addEventListener(
    'error',
    ({ target }) => {
      if (target !== window && !(target instanceof HTMLScriptElement)) return;
      failed = true;
      if (document.readyState !== 'loading') tell();
    },
    true,
  );
  document.addEventListener('DOMContentLoaded', () => failed && tell());
})();
