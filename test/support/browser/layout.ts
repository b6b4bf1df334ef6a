import type { Page } from 'playwright-core'

/** What does not fit: sideways scrolling, targets less than 44 px high, text of less than 13 px. */
export const layoutFaults = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const seen = (el: Element) => el.checkVisibility({ visibilityProperty: true }) && el.getClientRects().length > 0
    const label = (el: Element) => `${el.tagName}.${el.className} "${(el.textContent ?? '').slice(0, 30)}"`
    const low = [...document.querySelectorAll('button, nav a, input:not([type=radio]), select, summary')].filter(
      el => seen(el) && el.getBoundingClientRect().height < 43.5,
    )
    const small = [...document.querySelectorAll('p, li, span, button, label, dt, dd, td, th, small, code')].filter(
      el =>
        seen(el) &&
        [...el.childNodes].some(node => node.nodeType === 3 && node.textContent?.trim()) &&
        !el.matches('.head button') &&
        Number.parseFloat(getComputedStyle(el).fontSize) < 13,
    )
    const wide = document.documentElement.scrollWidth > document.documentElement.clientWidth
    return [
      ...low.map(el => `low ${label(el)}`),
      ...small.map(el => `small ${label(el)}`),
      ...(wide ? ['scrolls sideways'] : []),
    ]
  })
