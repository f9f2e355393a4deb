"use strict";
(() => {
  const idle = new Map();

  function contentOf(section) {
    if (!idle.has(section)) {
      const block = document.getElementById(section.dataset.pictures);
      idle.set(section, JSON.parse(block.textContent));
    }
    return idle.get(section);
  }

  function marksOf(section) {
    const marks = [...section.querySelectorAll(".mark[data-t]")];
    return marks.map((mark, order) => ({ mark, order, t: Number(mark.dataset.t) }))
      .sort((a, b) => a.t - b.t || a.order - b.order).map((each) => each.mark);
  }

  function showPlaces(section, places, t) {
    for (const dot of section.querySelectorAll(".here")) {
      const [times, points] = places[dot.dataset.track];
      let index = -1;
      while (index + 1 < times.length && times[index + 1] <= t + 1) index += 1;
      const here = index >= 0 && t - times[index] < 1500;
      dot.style.visibility = here ? "visible" : "hidden";
      if (here) {
        dot.setAttribute("cx", points[index][0]);
        dot.setAttribute("cy", points[index][1]);
      }
    }
  }

  function showPicture(section, content, mark) {
    const image = section.querySelector("img.still");
    const words = [mark.getAttribute("aria-label")];
    const number = Number(mark.dataset.frame);
    if (image && number >= 0) {
      image.src = content.uri[number];
      image.alt = "the anonymised picture of this moment";
      words.push(`picture of ${(content.t[number] / 1000).toFixed(1)} s`);
    }
    section.querySelector(".caption").textContent = words.join(" · ");
  }

  function choose(section, mark, focus) {
    const content = contentOf(section);
    const t = Number(mark.dataset.t);
    for (const old of section.querySelectorAll(".mark.chosen")) {
      old.classList.remove("chosen");
      old.removeAttribute("aria-current");
    }
    for (const each of section.querySelectorAll(".mark[data-t]")) each.tabIndex = -1;
    mark.classList.add("chosen");
    mark.setAttribute("aria-current", "true");
    mark.tabIndex = 0;
    showPicture(section, content, mark);
    showPlaces(section, content.places, t);
    const chart = section.querySelector(".timeline");
    const x = 8 + t * Number(chart.dataset.pxMs);
    const cursor = chart.querySelector(".cursor");
    cursor.setAttribute("transform", `translate(${x} 0)`);
    cursor.style.visibility = "visible";
    const box = section.querySelector(".scroll");
    if (x < box.scrollLeft + 40 || x > box.scrollLeft + box.clientWidth - 40) {
      box.scrollLeft = x - box.clientWidth / 2;
    }
    if (focus) mark.focus({ preventScroll: true });
  }

  function step(section, by) {
    const marks = marksOf(section);
    const at = marks.indexOf(section.querySelector(".mark.chosen"));
    const next = marks[Math.min(Math.max(at + by, 0), marks.length - 1)];
    if (next) choose(section, next, true);
  }

  const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

  /* What a person asks for first when a scenario is opened. */
  const FIRST = ["failed", "active_unacked", "raised", "hazard", "action", "run", "passed"];

  function wire(section) {
    const chosen = FIRST.map((look) => section.querySelector(`.mark.${look}[data-t]`))
      .find((mark) => mark);
    const begin = () => {
      if (!chosen || !section.open || section.querySelector(".mark.chosen")) return;
      choose(section, chosen, false);
    };
    section.addEventListener("toggle", begin, { once: true });
    begin();
    section.addEventListener("click", (event) => {
      const mark = event.target.closest(".mark[data-t]");
      const button = event.target.closest(".step");
      if (mark) choose(section, mark, true);
      if (button) step(section, Number(button.dataset.step));
    });
    section.addEventListener("keydown", (event) => {
      const mark = event.target.closest(".mark[data-t]");
      if (!mark) return;
      if (event.key === "Enter" || event.key === " ") {
        choose(section, mark, true);
      } else if (event.key in STEPS) {
        if (!section.querySelector(".mark.chosen")) choose(section, mark, false);
        step(section, STEPS[event.key]);
      } else {
        return;
      }
      event.preventDefault();
    });
  }

  function openTarget() {
    const target = /^#s\d+$/.test(location.hash) && document.querySelector(location.hash);
    if (target) {
      target.parentElement.open = true;
      target.scrollIntoView();
    }
  }

  function loads(uri) {
    return new Promise((resolve) => {
      const probe = new Image();
      probe.onload = () => resolve(probe.naturalWidth > 0);
      probe.onerror = () => resolve(false);
      probe.src = uri;
    });
  }

  /* Clicks everything and says in the page what came of it: for tests without a hand. */
  async function selfCheck(sections) {
    const seen = { marks: 0, pictures: 0, wide: 0, small: 0, errors: 0 };
    window.addEventListener("error", () => { seen.errors += 1; });
    for (const section of sections) {
      section.open = true;
      for (const mark of marksOf(section)) {
        mark.dispatchEvent(new MouseEvent("click", { bubbles: true }));
        seen.marks += Number(mark.classList.contains("chosen"));
        const image = section.querySelector("img.still");
        if (image && mark.dataset.frame >= 0) seen.pictures += Number(await loads(image.src));
      }
    }
    const page = document.documentElement;
    seen.wide = page.scrollWidth - page.clientWidth;
    for (const text of document.querySelectorAll("body *")) {
      const own = [...text.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
      if (!own || text.localName === "title" || !text.getClientRects().length) continue;
      const scale = text.ownerSVGElement ? text.getScreenCTM().a : 1;
      if (parseFloat(getComputedStyle(text).fontSize) * scale < 11.99) seen.small += 1;
    }
    for (const [name, value] of Object.entries(seen)) {
      document.body.dataset[`check${name[0].toUpperCase()}${name.slice(1)}`] = String(value);
    }
    document.body.dataset.checkDone = "yes";
    if (parent !== window) parent.postMessage({ ...seen, done: "yes" }, "*");
  }

  const sections = [...document.querySelectorAll("details.scenario")];
  sections.forEach(wire);
  window.addEventListener("hashchange", openTarget);
  openTarget();
  if (location.hash === "#selfcheck") selfCheck(sections);
})();
