'use strict';
const rows = document.getElementsByClassName('row');
const box = document.getElementById('search');
const told = document.getElementById('told');
let timer = 0;
function search() {
  const words = box.value.toLowerCase();
  let found = 0;
  for (const row of rows) {
    row.hidden = words !== '' && !row.textContent.toLowerCase().includes(words);
    if (!row.hidden) found += 1;
  }
  if (words !== '') {
    for (const conn of document.querySelectorAll('details.conn')) {
      conn.open = conn.querySelector('.row:not([hidden])') !== null;
    }
  }
  told.textContent = words === '' ? '' : found + ' of ' + rows.length;
}
box.addEventListener('input', () => {
  clearTimeout(timer);
  timer = setTimeout(search, 150);
});
for (const [id, open] of [['unfold', true], ['fold', false]]) {
  document.getElementById(id).addEventListener('click', () => {
    for (const part of document.querySelectorAll('main details')) part.open = open;
  });
}
function jump() {
  const at = document.getElementById(location.hash.slice(1));
  for (let part = at; part !== null; part = part.parentElement) {
    if (part.tagName === 'DETAILS') part.open = true;
  }
  if (at !== null) at.scrollIntoView();
}
addEventListener('hashchange', jump);
document.body.classList.add('live');
jump();
