// What `heaprake hunt` and `heaprake report` can be asked for: which findings, in which files.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/output_file.h"
#include "cli/report/baseline.h"
#include "cli/report/report.h"
#include "cli/report/suppressions.h"
#include "cli/report/text_report.h"

namespace heaprake::cli {

// The options that stand for all of it, --force included.
std::vector<OptionSpec> output_options();

class Outputs {
 public:
  // Throws a Failure for everything that can be wrong with files and values, before anything else
  // has been done.
  explicit Outputs(const Arguments& arguments);

  // Takes out what is suppressed, here and by the program itself, and marks what is known.
  // LeakSanitizer's options, the program's and those in LSAN_OPTIONS, are among the report then.
  void refine(Report* report) const;

  // Whether so much that is new has been lost that the exit status should tell.
  bool fails(const Report& report) const { return new_structures(report) > max_leaks_; }

  // All files but --report's, whose text is the caller's matter.
  void write_files(const Report& report, const Beside& beside) const;
  // The same for another process than the program itself, with its id in the files' names, and a
  // copy of its snapshot if that was asked for; the JSON is the caller's matter.
  void write_process_files(const Report& report, const std::string& snapshot) const;
  // As long as was asked for.
  std::string json(const Report& report, const Beside& beside = {}) const;
  // The report as text, in the format that was asked for.
  std::string text(const Report& report, bool colours) const;

  bool has_json() const { return json_.has_value(); }
  bool has_html() const { return wants_html_; }
  bool saves() const { return save_.has_value(); }
  // The file asked for by --save, "" if there is none; and a copy of the snapshot in it.
  std::string save_path() const { return save_ ? save_->path() : ""; }
  void save(const std::string& snapshot) const;

 private:
  using Format = std::string (*)(const Report&);
  struct File {
    Format format;
    OutputFile file;
  };

  void add_file(const Arguments& arguments, const std::string& name, Format format);
  void check_distinct() const;
  void tell_left_out() const;
  static void add_programs_rules(Report* report, std::vector<Suppression>* rules);

  bool force_;
  std::optional<OutputFile> json_, save_;
  bool wants_html_ = false;
  std::vector<File> files_;
  std::vector<Suppression> suppressions_;
  std::optional<Baseline> baseline_;
  uint64_t max_leaks_ = 0;
  std::string lsan_options_;
  bool wants_top_ = false;
  Extent extent_ = kUsualExtent;   // of the JSON
  mutable uint64_t left_out_ = 0;  // findings, of all JSON that was made
  TextStyle style_;
  bool lsan_ = false;
};

}  // namespace heaprake::cli
