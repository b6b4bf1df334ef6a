import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults, ElementContext, RunOptions } from 'axe-core'
import type { Page } from 'playwright-core'

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const everything = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/**
 * What axe finds on a page as it stands (WCAG 2.2 AA and best practice), one line each; in the dark the contrast alone, because only colours differ. Frames
 * are pages of their own. axe is put into a document once: its own adapter does so for every look, with a blank page beside, which took half of a run.
 */
export const axeFindings = async (page: Page, scheme: 'light' | 'dark' = 'light'): Promise<string[]> => {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(source)
  const options: RunOptions = {
    runOnly: scheme === 'light' ? { type: 'tag', values: everything } : { type: 'rule', values: ['color-contrast'] },
    resultTypes: ['violations'],
    iframes: false,
    preload: false,
  }
  return await page.evaluate(async given => {
    const { axe } = window as unknown as {
      axe: { run(context: ElementContext, options: RunOptions): Promise<AxeResults> }
    }
    const { violations } = await axe.run({ exclude: ['iframe'] }, given)
    return violations.map(v => `${v.id} at ${v.nodes.map(node => node.target.join(' ')).join(', ')}`)
  }, options)
}
