// The colours that were chosen in the settings (src/page/theme.ts), before anything is drawn.
try {
  const theme = localStorage.getItem('dermlet-theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // No storage: as the device has it.
}
