import { render } from 'preact'
import { Boundary } from '../shared/boundary.tsx'
import { createApi } from './api.ts'
import { App } from './app.tsx'
import { text } from './text.ts'

const page = document.querySelector('#page')!
page.textContent = ''
// A page that the browser kept aside and shows again must not show the log to whoever comes next.
window.addEventListener('pageshow', event => {
  if (event.persisted) location.reload()
})
render(
  <Boundary
    place="page"
    broken={() => undefined}
    instead={
      <main class="door">
        <p class="alert" role="alert">
          {text.problem.drawing}
        </p>
      </main>
    }
  >
    <App api={createApi((url, init) => fetch(url, init))} />
  </Boundary>,
  page,
)
