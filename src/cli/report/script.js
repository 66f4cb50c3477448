window.addEventListener('beforeprint', function () {
  document.querySelectorAll('details').forEach(function (part) { part.open = true })
});
(function () {
  var steps = Array.prototype.slice.call(document.querySelectorAll('.step'))
  if (!steps.length) return
  var controls = document.querySelector('.controls')
  var back = controls.querySelector('[data-go=back]')
  var next = controls.querySelector('[data-go=next]')
  var range = controls.querySelector('input')
  var pane = document.querySelector('.pane')
  var at = -1
  function show(i) {
    at = Math.max(0, Math.min(steps.length - 1, i))
    var row = steps[at].getAttribute('data-row')
    steps.forEach(function (step, n) { step.classList.toggle('current', n === at) })
    document.querySelectorAll('.row, .words li').forEach(function (part) {
      part.classList.toggle('current', part.getAttribute('data-row') === row)
    })
    back.disabled = at === 0
    next.disabled = at === steps.length - 1
    range.value = at
    range.setAttribute('aria-valuetext', steps[at].querySelector('h3 a').textContent)
    var stripe = pane.querySelector('.row.current')
    if (stripe) {
      var box = stripe.getBoundingClientRect()
      var frame = pane.getBoundingClientRect()
      if (box.top < frame.top + 40 || box.bottom > frame.bottom - 40) {
        pane.scrollTop += box.top - frame.top - (frame.height - box.height) / 2
      }
      var node = Number(stripe.getAttribute('data-x'))
      if (node) {
        var x = pane.querySelector('svg').getBoundingClientRect().left + node - frame.left
        if (x < 90 || x > frame.width - 90) pane.scrollLeft += x - frame.width / 2
      }
    }
  }
  function go(i) {
    show(i)
    try { history.replaceState(null, '', '#' + steps[at].id) } catch (e) { }
  }
  function ofAddress(isFirst) {
    var there = document.getElementById(decodeURIComponent(location.hash.slice(1)))
    var step = there && there.closest('.step')
    if (step) {
      show(steps.indexOf(step))
      document.querySelector('.stage').scrollIntoView({ block: 'nearest' })
    } else if (isFirst) show(0)
  }
  controls.hidden = false
  back.addEventListener('click', function () { go(at - 1) })
  next.addEventListener('click', function () { go(at + 1) })
  range.addEventListener('input', function () { go(Number(range.value)) })
  pane.addEventListener('click', function (event) {
    var row = event.target.getAttribute('data-row')
    steps.forEach(function (step, n) { if (step.getAttribute('data-row') === row) go(n) })
  })
  document.addEventListener('keydown', function (event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target === range) return
    var to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: steps.length - 1 }[event.key]
    var isPageKey = event.key === 'Home' || event.key === 'End'
    if (to === undefined || (isPageKey && !event.target.closest('.stage'))) return
    event.preventDefault()
    go(to)
  })
  window.addEventListener('hashchange', function () { ofAddress(false) })
  ofAddress(true)
})()
