import type { Locator, Page } from 'playwright-core'

/** The heading of a screen. */
export const titled = (page: Page, name: string): Locator => page.getByRole('heading', { level: 1, name })

/** Waits until a screen of the administrators' page shows what it loaded. */
export const settled = async (page: Page): Promise<void> => {
  await page.waitForFunction(() => {
    const main = document.querySelector('main')
    return (
      main !== null &&
      !main.textContent?.includes('Loading') &&
      !main.querySelector('.stale, .head [aria-disabled=true]')
    )
  })
}
