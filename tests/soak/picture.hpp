#pragma once
/// What a watch saw, as a picture (SVG): a panel for each field, over time, with a tick for each fault.

#include "soak/watch.hpp"

#include <cmath>
#include <sstream>

namespace soak {

class Picture {
public:
    Picture(const std::vector<Sample>& samples, std::string title) : samples_(samples), title_(std::move(title)) {}

    std::string draw() {
        panel("memory (MiB resident)", &Sample::mebibytes, "#2563eb");
        panel("descriptors", &Sample::descriptors, "#059669");
        panel("threads", &Sample::threads, "#b45309");
        panel("connections up", &Sample::up, "#7c3aed");
        panel("messages arrived per second", &Sample::messages, "#db2777");
        faults_and_time();
        std::ostringstream svg;
        svg << "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 " << width << ' ' << top_ + 44
            << "' font-family='sans-serif' font-size='12'>\n<rect width='100%' height='100%' fill='white'/>\n"
            << "<text x='" << left << "' y='22' font-size='15'>" << title_ << "</text>\n"
            << body_.str() << "</svg>\n";
        return svg.str();
    }

private:
    static constexpr double width = 900, left = 70, right = 20, height = 90, gap = 34;

    double end() const { return samples_.empty() ? 1 : std::max(1.0, samples_.back().seconds); }
    double x(double seconds) const { return left + seconds / end() * (width - left - right); }

    void panel(const char* name, double Sample::*field, const char* colour) {
        double most = 1;
        for (const auto& sample : samples_) most = std::max(most, sample.*field);
        most *= 1.1;
        const double bottom = top_ + height;
        body_ << "<text x='" << left << "' y='" << top_ - 6 << "'>" << name << "</text>\n<rect x='" << left << "' y='"
              << top_ << "' width='" << width - left - right << "' height='" << height
              << "' fill='#f8fafc' stroke='#cbd5e1'/>\n";
        for (const double part : {0.0, 0.5, 1.0})
            body_ << "<text x='" << left - 8 << "' y='" << bottom - part * height + 4
                  << "' text-anchor='end' fill='#475569'>" << std::round(part * most) << "</text>\n";
        body_ << "<polyline fill='none' stroke='" << colour << "' stroke-width='1.5' points='";
        const auto step = std::max<std::size_t>(1, samples_.size() / 900); // the highest of each step
        for (std::size_t i = 0; i < samples_.size(); i += step) {
            double value = 0;
            for (auto j = i; j < std::min(i + step, samples_.size()); ++j) value = std::max(value, samples_[j].*field);
            body_ << x(samples_[i].seconds) << ',' << bottom - value / most * height << ' ';
        }
        body_ << "'/>\n";
        top_ = bottom + gap;
    }
    void faults_and_time() {
        const double line = top_ - gap + 10;
        for (const auto& sample : samples_)
            if (sample.fault)
                body_ << "<line x1='" << x(sample.seconds) << "' x2='" << x(sample.seconds) << "' y1='" << line
                      << "' y2='" << line + 8 << "' stroke='#dc2626'/>\n";
        body_ << "<text x='" << left - 8 << "' y='" << line + 8 << "' text-anchor='end' fill='#dc2626'>faults</text>\n";
        const double minutes = end() / 60, step = std::max(0.5, std::round(minutes / 10));
        for (double minute = 0; minute <= minutes; minute += step)
            body_ << "<text x='" << x(minute * 60) << "' y='" << line + 26 << "' text-anchor='middle' fill='#475569'>"
                  << minute << " min</text>\n";
        top_ = line + 8;
    }

    const std::vector<Sample>& samples_;
    const std::string title_;
    std::ostringstream body_;
    double top_ = 56;
};

} // namespace soak
