// Finds among the questions: those that hold every word stay. Without scripts there is no field, and all stay.
const find = /** @type {HTMLInputElement} */ (document.querySelector('#find'));
const none = /** @type {HTMLElement} */ (document.querySelector('#none'));
/** @param {string} text */
const plain = (text) => text.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase();
/** @type {NodeListOf<HTMLElement>} */
const sections = document.querySelectorAll('.question');
const questions = Array.from(sections, (section) => ({ section, text: plain(section.textContent ?? '') }));

/** @type {HTMLElement} */ (find.parentElement).hidden = false;
find.addEventListener('input', () => {
  const words = plain(find.value)
    .split(/[\s'’.,?!]+/)
    .filter(Boolean);
  for (const { section, text } of questions) section.hidden = !words.every((word) => text.includes(word));
  none.hidden = questions.some(({ section }) => !section.hidden);
});
