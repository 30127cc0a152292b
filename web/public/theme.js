// Before anything is drawn: what is below the first screen has a frame of its own (src/page/page.css), and the colours
// that were chosen in the settings (src/page/theme.ts).
document.documentElement.dataset.first = '';
requestAnimationFrame(() => requestAnimationFrame(() => delete document.documentElement.dataset.first));
try {
  const theme = localStorage.getItem('dermlet-theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // No storage: as the device has it.
}
