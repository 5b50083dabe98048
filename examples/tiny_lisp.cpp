// A Lisp in a hundred lines that never frees anything: cons cells, closures and environments are
// made with new, and left. It links libheaprake.so and is otherwise plain C++.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unordered_map>

namespace {

struct Value;
using Builtin = Value* (*)(Value* arguments);

// A number, a symbol, a pair, a builtin, or a closure (parameters, body, environment).
struct Value {
  enum Kind { kNumber, kSymbol, kPair, kBuiltin, kClosure } kind;
  long number = 0;
  const char* name = nullptr;
  Value *first = nullptr, *rest = nullptr, *environment = nullptr;
  Builtin builtin = nullptr;
};

Value* const nil = new Value{Value::kSymbol, 0, "nil"};
Value* globals = nil;  // pairs of (symbol . value)

Value* cons(Value* first, Value* rest) {
  return new Value{Value::kPair, 0, nullptr, first, rest};
}
Value* number(long n) {
  return new Value{Value::kNumber, n};
}
Value* symbol(const std::string& name) {
  static std::unordered_map<std::string, Value*> known = {{"nil", nil}};
  Value*& value = known[name];
  if (!value) value = new Value{Value::kSymbol, 0, strdup(name.c_str())};
  return value;
}

Value* read(const char*& text) {
  while (*text == ' ' || *text == '\n') ++text;
  if (*text == '(') {
    ++text;
    Value* list = nil;
    Value** end = &list;
    for (;;) {
      while (*text == ' ' || *text == '\n') ++text;
      if (*text == ')') return ++text, list;
      *end = cons(read(text), nil);
      end = &(*end)->rest;
    }
  }
  const char* begin = text;
  while (*text && !std::strchr(" \n()", *text)) ++text;
  const std::string word(begin, text);
  char* end = nullptr;
  const long n = std::strtol(word.c_str(), &end, 10);
  return *end ? symbol(word) : number(n);
}

Value* find(Value* environment, Value* name) {
  for (Value* scope : {environment, globals}) {
    for (; scope != nil; scope = scope->rest) {
      if (scope->first->first == name) return scope->first->rest;
    }
  }
  std::printf("unbound: %s\n", name->name);
  return nil;
}

Value* evaluate(Value* form, Value* environment);

Value* evaluate_all(Value* forms, Value* environment) {
  if (forms == nil) return nil;
  Value* value = evaluate(forms->first, environment);
  return cons(value, evaluate_all(forms->rest, environment));
}

// Tail calls go round the loop: a Lisp program may run for ever.
Value* evaluate(Value* form, Value* environment) {
  for (;;) {
    if (form->kind == Value::kSymbol) return form == nil ? nil : find(environment, form);
    if (form->kind != Value::kPair) return form;
    Value* const head = form->first;
    if (head == symbol("quote")) return form->rest->first;
    if (head == symbol("if")) {
      const bool chosen = evaluate(form->rest->first, environment) != nil;
      form = chosen ? form->rest->rest->first : form->rest->rest->rest->first;
      continue;
    }
    if (head == symbol("lambda")) {
      Value* closure = new Value{Value::kClosure, 0, nullptr, form->rest->first};
      closure->rest = form->rest->rest->first;
      closure->environment = environment;
      return closure;
    }
    if (head == symbol("define")) {
      globals =
          cons(cons(form->rest->first, evaluate(form->rest->rest->first, environment)), globals);
      return form->rest->first;
    }
    Value* function = evaluate(head, environment);
    Value* arguments = evaluate_all(form->rest, environment);
    if (function->kind == Value::kBuiltin) return function->builtin(arguments);
    environment = function->environment;
    for (Value* name = function->first; name != nil; name = name->rest) {
      environment = cons(cons(name->first, arguments->first), environment);
      arguments = arguments->rest;
    }
    form = function->rest;
  }
}

void define(const char* name, Builtin builtin) {
  Value* value = new Value{Value::kBuiltin};
  value->builtin = builtin;
  globals = cons(cons(symbol(name), value), globals);
}

void run(const char* text) {
  Value* value = evaluate(read(text), nil);
  if (value->kind == Value::kNumber) std::printf("%ld\n", value->number);
  if (value->kind == Value::kSymbol) std::printf("%s\n", value->name);
}

}  // namespace

int main() {
  define("+", [](Value* a) { return number(a->first->number + a->rest->first->number); });
  define("-", [](Value* a) { return number(a->first->number - a->rest->first->number); });
  define("<",
         [](Value* a) { return a->first->number < a->rest->first->number ? symbol("t") : nil; });
  define("cons", [](Value* a) { return cons(a->first, a->rest->first); });
  define("length", [](Value* a) {
    long n = 0;
    for (Value* list = a->first; list != nil; list = list->rest) ++n;
    return number(n);
  });
  globals = cons(cons(symbol("t"), symbol("t")), globals);

  run("(define fib (lambda (n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2))))))");
  run("(fib 20)");
  run("(define count (lambda (n list) (if (< n 1) (length list) (count (- n 1) (cons n list)))))");
  run("(count 1000 nil)");
  run("(define spin (lambda (n) (if (< n 1) (quote done) (spin (- n 1)))))");
  run("(spin 300000)");

  // Half a gigabyte of cells was made.
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("peak memory: %s 200 MiB\n", usage.ru_maxrss < 200 * 1024 ? "below" : "above");
}
