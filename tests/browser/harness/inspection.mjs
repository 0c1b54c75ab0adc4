// What a page does wrong for people with assistive technology, small windows or thumbs.
import fs from 'node:fs';
import {createRequire} from 'node:module';

const kAxe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// What axe-core objects to, in short. It is brought in past the content security policy, as a debugger would.
export async function objections(talk) {
  await talk.page.evaluate(kAxe);
  const {violations} = await talk.page.evaluate(() => window.axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}));
  return violations.map(({id, nodes}) => `${id}: ${nodes.map(({html}) => html.slice(0, 120)).join(' | ')}`);
}

// Wider than the window, or a control too small for a thumb.
export function misfits(talk) {
  return talk.page.evaluate(() => {
    const found = [];
    if (document.documentElement.scrollWidth > window.innerWidth) {
      found.push(`the page is ${document.documentElement.scrollWidth} px wide`);
    }
    for (const control of document.querySelectorAll('button, input')) {
      const {width, height} = control.getBoundingClientRect();
      if (control.checkVisibility() && (width < 44 || height < 44)) {
        found.push(`${control.id || control.value}: ${width} x ${height} px`);
      }
    }
    return found;
  });
}
