
// Offers the embedded record as a file. The page is complete without this.
(function () {
  "use strict";
  var place = document.getElementById("save"), record = document.getElementById("record");
  var button = document.createElement("button");
  button.type = "button";
  button.textContent = "Save the record as JSON";
  button.addEventListener("click", function () {
    var link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([record.textContent], { type: "application/json" }));
    link.download = "procpool-compare.json";
    link.click();
    URL.revokeObjectURL(link.href);
  });
  place.appendChild(button);
})();
