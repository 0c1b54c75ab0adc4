// Makes elements. What is given as text becomes text, whatever it contains.

export function element(name, className, ...content) {
  const made = document.createElement(name);
  if (className) {
    made.className = className;
  }
  made.append(...content.filter((each) => each !== undefined));
  return made;
}

export function button(className, text, click) {
  const made = element('button', className, text);
  made.type = 'button';
  made.addEventListener('click', click);
  return made;
}
