// The catalogue comes with the API document, so it names what the running services really answer.
function cell(...lines) {
  const made = document.createElement("td");
  lines.forEach((line, number) => {
    const part = document.createElement("div");
    part.textContent = line;
    if (number > 0) part.className = "en";
    made.append(part);
  });
  return made;
}

async function show() {
  const body = document.getElementById("problems");
  const answer = await fetch("/openapi.json");
  const problems = (await answer.json())["x-problems"];
  body.replaceChildren(
    ...problems.map((problem) => {
      const row = document.createElement("tr");
      row.id = problem.code;
      row.append(cell(problem.code), cell(problem.status), cell(problem.ko, problem.en));
      return row;
    }),
  );
  if (location.hash) location.replace(location.hash); // the row was not there when it was asked for
}

show().catch(() => {
  document.getElementById("problems").textContent = "불러오지 못했습니다. 잠시 후 다시 시도하십시오.";
});
